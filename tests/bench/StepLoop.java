import static com.mongodb.client.model.Filters.eq;
import static com.mongodb.client.model.Filters.in;

import com.mongodb.ConnectionString;
import com.mongodb.MongoClientSettings;
import com.mongodb.TransactionOptions;
import com.mongodb.WriteConcern;
import com.mongodb.client.ClientSession;
import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import com.mongodb.client.MongoCollection;
import com.mongodb.client.MongoDatabase;
import com.mongodb.client.model.BulkWriteOptions;
import com.mongodb.client.model.Indexes;
import com.mongodb.client.model.ReplaceOneModel;
import com.mongodb.client.model.ReplaceOptions;
import com.mongodb.client.model.WriteModel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.bson.BsonDocument;
import org.bson.Document;

/**
 * The bare loop of `steps.py` with the clients of another ecosystem: for each batch the same reads,
 * writes and publications, no decision. Prints the events per second of all but the first `warm`,
 * which the virtual machine has to compile itself.
 *
 * <p>Arguments: bootstrap servers, MongoDB's address, topic to read, topic to write, partitions,
 * events that warm it, events in all, records in a batch, the cohorts' ids with commas.
 */
public final class StepLoop {
  private static final WriteConcern DURABLE = WriteConcern.MAJORITY.withJournal(true);

  private final MongoClient client;
  private final MongoDatabase database;
  private final KafkaProducer<byte[], byte[]> producer;
  private final String out;
  private final List<String> cohortIds;
  private final ExecutorService reading = Executors.newFixedThreadPool(2);

  private StepLoop(String kafka, MongoClient client, String out, List<String> cohortIds) {
    this.client = client;
    this.out = out;
    this.cohortIds = cohortIds;
    this.database =
        client.getDatabase("java" + UUID.randomUUID().toString().substring(0, 8))
            .withWriteConcern(DURABLE);
    for (String name : List.of("cohorts", "mentors", "outbox", "places")) {
      database.createCollection(name);
    }
    database.getCollection("mentors").createIndex(Indexes.ascending("cohort_id", "id"));
    database.getCollection("mentors").createIndex(Indexes.ascending("cohort_id", "state", "id"));
    this.producer =
        new KafkaProducer<>(
            Map.of(
                "bootstrap.servers", kafka,
                "acks", "all",
                "enable.idempotence", false,
                "linger.ms", 5,
                "batch.size", 512 * 1024,
                "max.request.size", 8 * 1024 * 1024),
            new ByteArraySerializer(),
            new ByteArraySerializer());
  }

  public static void main(String[] args) throws Exception {
    String topic = args[2];
    int partitions = Integer.parseInt(args[4]);
    int warm = Integer.parseInt(args[5]);
    int total = Integer.parseInt(args[6]);
    MongoClientSettings settings =
        MongoClientSettings.builder()
            .applyConnectionString(new ConnectionString(args[1]))
            .build();
    try (MongoClient client = MongoClients.create(settings);
        KafkaConsumer<byte[], byte[]> consumer =
            new KafkaConsumer<>(
                Map.of(
                    "bootstrap.servers", args[0],
                    "group.id", "java-" + UUID.randomUUID(),
                    "auto.offset.reset", "earliest",
                    "enable.auto.commit", false,
                    "fetch.max.wait.ms", 40,
                    "max.poll.records", Integer.parseInt(args[7])),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer())) {
      StepLoop loop = new StepLoop(args[0], client, args[3], List.of(args[8].split(",")));
      List<TopicPartition> places = new ArrayList<>();
      for (int partition = 0; partition < partitions; partition++) {
        places.add(new TopicPartition(topic, partition));
      }
      consumer.assign(places);
      consumer.seekToBeginning(places);
      int done = 0;
      int first = 0;
      long begun = 0;
      while (done < total) {
        ConsumerRecords<byte[], byte[]> records = consumer.poll(Duration.ofMillis(50));
        if (records.isEmpty()) {
          continue;
        }
        loop.step(records);
        consumer.commitSync();
        done += records.count();
        if (begun == 0 && done >= warm) {
          begun = System.nanoTime();
          first = done;
        }
      }
      System.out.println((done - first) / ((System.nanoTime() - begun) / 1e9));
      loop.database.drop();
      loop.producer.close();
      loop.reading.shutdown();
    }
  }

  private void step(ConsumerRecords<byte[], byte[]> records) throws Exception {
    List<String> keys = new ArrayList<>();
    List<WriteModel<Document>> mentors = new ArrayList<>();
    Map<Integer, List<List<Object>>> outgoing = new HashMap<>();
    for (ConsumerRecord<byte[], byte[]> record : records) {
      String key = new String(record.key(), StandardCharsets.UTF_8);
      keys.add(key);
      mentors.add(replace(key, mentor(key, record.partition())));
      Document headers = new Document();
      for (Header header : record.headers()) {
        headers.append(header.key(), header.value());
      }
      outgoing
          .computeIfAbsent(record.partition(), partition -> new ArrayList<>())
          .add(List.of(out, record.partition(), record.key(), record.value(), headers));
    }
    Future<?> cohorts = reading.submit(() -> all("cohorts", cohortIds));
    Future<?> known = reading.submit(() -> all("mentors", keys));
    cohorts.get();
    known.get();
    List<Document> chunks = new ArrayList<>();
    List<WriteModel<Document>> places = new ArrayList<>();
    List<String> ids = new ArrayList<>();
    outgoing.forEach(
        (partition, rows) -> {
          String id = UUID.randomUUID().toString();
          ids.add(id);
          chunks.add(new Document("_id", id).append("partition", partition).append("records", rows));
          places.add(replace(partition, new Document("_id", partition).append("n", 1)));
        });
    try (ClientSession session = client.startSession()) {
      session.startTransaction(TransactionOptions.builder().writeConcern(DURABLE).build());
      collection("places").bulkWrite(session, places);
      collection("mentors").bulkWrite(session, mentors, new BulkWriteOptions().ordered(false));
      collection("outbox").insertMany(session, chunks);
      session.commitTransaction();
    }
    List<Future<?>> sent = new ArrayList<>();
    for (ConsumerRecord<byte[], byte[]> record : records) {
      sent.add(
          producer.send(
              new ProducerRecord<>(
                  out, record.partition(), record.key(), record.value(), record.headers())));
    }
    for (Future<?> each : sent) {
      each.get();
    }
    collection("outbox").withWriteConcern(WriteConcern.W1).deleteMany(in("_id", ids));
  }

  private Object all(String name, List<String> ids) {
    return database.getCollection(name, BsonDocument.class).find(in("_id", ids))
        .into(new ArrayList<>());
  }

  private MongoCollection<Document> collection(String name) {
    return database.getCollection(name);
  }

  private static WriteModel<Document> replace(Object id, Document document) {
    return new ReplaceOneModel<>(eq("_id", id), document, new ReplaceOptions().upsert(true));
  }

  /** A document of the size of a mentor's, without having read the command. */
  private static Document mentor(String key, int partition) {
    int slash = key.indexOf('/');
    Document window = new Document("day", "mon").append("start", "09:00").append("end", "12:00");
    return new Document("_id", key)
        .append("partition", partition)
        .append("id", key.substring(slash + 1))
        .append("cohort_id", slash < 0 ? key : key.substring(0, slash))
        .append("directorate", "DGFiP")
        .append("site", "Paris Bercy")
        .append("skills", new Document("linkedin", 4).append("twitter", 3).append("video-calls", 5))
        .append("capacity", 1)
        .append("availability", List.of(window, window))
        .append("line_manager", null)
        .append("excludes", List.of())
        .append("state", "available")
        .append("engaged", List.of());
  }
}
