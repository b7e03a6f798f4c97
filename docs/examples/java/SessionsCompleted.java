import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Prints every completed session.
 *
 * <p>Options: --from beginning|now|DATE, --max-events N, --until-caught-up. Brokers and credentials
 * come from the environment: see {@link #connection}.
 */
public final class SessionsCompleted {
    private static final String TOPIC = "mentoring.scheduling.events";
    private static final String WANTED = "fr.gouv.mentoring.SessionCompleted.v1";
    private static final ObjectMapper JSON = new ObjectMapper();

    /** The last sequence of each source. */
    private final Map<String, Long> seen = new HashMap<>();

    private String start = "beginning";
    private long maxEvents = -1;
    private boolean untilCaughtUp = false;

    public static void main(String[] arguments) throws Exception {
        SessionsCompleted program = new SessionsCompleted();
        for (int i = 0; i < arguments.length; i++) {
            switch (arguments[i]) {
                case "--from" -> program.start = arguments[++i];
                case "--max-events" -> program.maxEvents = Long.parseLong(arguments[++i]);
                case "--until-caught-up" -> program.untilCaughtUp = true;
                default -> throw new IllegalArgumentException("unknown: " + arguments[i]);
            }
        }
        program.run();
    }

    private void run() throws Exception {
        // Without a group: this program reads every partition, and keeps no place at the broker.
        var consumer = new KafkaConsumer<>(
                connection(), new ByteArrayDeserializer(), new ByteArrayDeserializer());
        Thread self = Thread.currentThread();
        Thread stop = new Thread(() -> {
            consumer.wakeup(); // SIGTERM: leave the poll, and let the consumer be closed
            try {
                self.join();
            } catch (InterruptedException ignored) {
                Thread.currentThread().interrupt();
            }
        });
        Runtime.getRuntime().addShutdownHook(stop);
        try (consumer) {
            List<TopicPartition> places = consumer.partitionsFor(TOPIC).stream()
                    .map(found -> new TopicPartition(TOPIC, found.partition()))
                    .toList();
            consumer.assign(places);
            Map<TopicPartition, Long> ends = consumer.endOffsets(places);
            begin(consumer, places, ends);
            long printed = 0;
            while (printed != maxEvents) {
                for (var record : consumer.poll(Duration.ofMillis(300))) {
                    if (handle(record) && ++printed == maxEvents) {
                        break;
                    }
                }
                if (untilCaughtUp && ends.keySet().stream()
                        .allMatch(place -> consumer.position(place) >= ends.get(place))) {
                    break;
                }
            }
        } catch (WakeupException stopped) {
            // What was printed is printed: there is nothing to save.
        }
    }

    private void begin(
            KafkaConsumer<?, ?> consumer,
            Collection<TopicPartition> places,
            Map<TopicPartition, Long> ends) {
        if (start.equals("beginning")) {
            consumer.seekToBeginning(places);
            return;
        }
        consumer.seekToEnd(places);
        if (start.equals("now")) {
            return;
        }
        Instant date = start.contains("T")
                ? Instant.parse(start)
                : LocalDate.parse(start).atStartOfDay(ZoneOffset.UTC).toInstant();
        Map<TopicPartition, Long> wanted = new HashMap<>();
        for (TopicPartition place : places) {
            if (ends.get(place) > 0) { // where nothing is, nothing is later
                wanted.put(place, date.toEpochMilli());
            }
        }
        consumer.offsetsForTimes(wanted).forEach((place, first) -> {
            if (first != null) {
                consumer.seek(place, first.offset());
            }
        });
    }

    /** Print a completed session that is new; whether it was one. */
    private boolean handle(ConsumerRecord<byte[], byte[]> record) throws Exception {
        Map<String, String> ce = new HashMap<>();
        for (Header header : record.headers()) {
            if (header.key().startsWith("ce_")) {
                ce.put(header.key(), new String(header.value(), StandardCharsets.UTF_8));
            }
        }
        String source = ce.get("ce_source");
        long sequence = Long.parseLong(ce.get("ce_sequence"));
        long last = seen.getOrDefault(source, sequence - 1); // the first of a source may be any
        if (sequence <= last) {
            return false; // published again
        }
        if (sequence > last + 1) {
            throw new Gap(source + ": " + last + " is followed by " + sequence);
        }
        seen.put(source, sequence);
        if (!ce.get("ce_type").equals(WANTED)) {
            return false; // another type, perhaps newer than this program
        }
        JsonNode event = JSON.readTree(record.value()); // fields that are not used do not matter
        System.out.println(ce.get("ce_time") + " " + ce.get("ce_subject")
                + " completed=" + event.get("completed").asInt());
        return true;
    }

    /** Where the brokers are, and who asks: without a user, no TLS either. */
    private static Properties connection() {
        Map<String, String> env = System.getenv();
        Properties found = new Properties();
        found.put("bootstrap.servers", env.getOrDefault("KAFKA_BOOTSTRAP_SERVERS", "localhost:9092"));
        found.put("enable.auto.commit", "false");
        found.put("isolation.level", "read_committed");
        if (env.containsKey("KAFKA_SASL_USERNAME")) {
            found.put("security.protocol", "SASL_SSL");
            found.put("sasl.mechanism", "SCRAM-SHA-512");
            found.put("sasl.jaas.config", String.format(
                    "org.apache.kafka.common.security.scram.ScramLoginModule required"
                            + " username=\"%s\" password=\"%s\";",
                    env.get("KAFKA_SASL_USERNAME"), env.get("KAFKA_SASL_PASSWORD")));
            if (env.containsKey("KAFKA_SSL_CAFILE")) {
                found.put("ssl.truststore.type", "PEM");
                found.put("ssl.truststore.location", env.get("KAFKA_SSL_CAFILE"));
            }
        }
        return found;
    }

    /** An event is missing: somebody has to look before anything goes on. */
    private static final class Gap extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Gap(String what) {
            super("a gap: " + what);
        }
    }
}
