// Prints every completed session.
//
// Options: --from beginning|now|DATE, --max-events N, --until-caught-up. Brokers and credentials
// come from the environment: see `connection`.

import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import kafkajs from "kafkajs";

const TOPIC = "mentoring.scheduling.events";
const WANTED = "fr.gouv.mentoring.SessionCompleted.v1";

const { values: options } = parseArgs({
  options: {
    from: { type: "string", default: "beginning" },
    group: { type: "string", default: "subscriber-example.node" },
    "max-events": { type: "string", default: "-1" },
    "until-caught-up": { type: "boolean", default: false },
  },
});
const maxEvents = Number(options["max-events"]);

const kafka = new kafkajs.Kafka({
  clientId: "sessions",
  logLevel: kafkajs.logLevel.ERROR,
  ...connection(),
});
const seen = new Map(); // source to its last sequence
const next = await begin();
const ends = await offsets((admin) => admin.fetchTopicOffsets(TOPIC));
let printed = 0;
let stopping;

// kafkajs reads in groups only. This one commits nothing: `next` says where it goes on.
const consumer = kafka.consumer({
  groupId: options.group,
  sessionTimeout: 6000,
  heartbeatInterval: 1500,
  maxWaitTimeInMs: 300,
});
consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
  for (const partition of payload.memberAssignment[TOPIC] ?? []) {
    consumer.seek({ topic: TOPIC, partition, offset: String(next.get(partition)) });
  }
  leaveWhenCaughtUp();
});
consumer.on(consumer.events.CRASH, ({ payload }) => {
  if (!payload.restart) stop(1);
});
for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => stop(0));

await consumer.connect();
await consumer.subscribe({ topics: [TOPIC], fromBeginning: true });
await consumer.run({ autoCommit: false, eachMessage });

async function eachMessage({ partition, message }) {
  if (stopping) return;
  const gap = handle(message);
  if (gap) {
    console.error(`a gap: ${gap}`);
    stop(1);
    return;
  }
  next.set(partition, BigInt(message.offset) + 1n);
  if (printed === maxEvents) stop(0);
  leaveWhenCaughtUp();
}

/** Print a completed session that is new; what is missing before it, if anything is. */
function handle(message) {
  const source = message.headers.ce_source.toString();
  const sequence = BigInt(message.headers.ce_sequence.toString());
  const last = seen.get(source) ?? sequence - 1n; // the first of a source may be any
  if (sequence <= last) return; // published again
  if (sequence > last + 1n) return `${source}: ${last} is followed by ${sequence}`;
  seen.set(source, sequence);
  const type = message.headers.ce_type.toString();
  if (type !== WANTED) return; // another type, perhaps newer than this program
  const event = JSON.parse(message.value.toString()); // fields that are not used do not matter
  const { ce_time: time, ce_subject: subject } = message.headers;
  console.log(`${time} ${subject} completed=${event.completed}`);
  printed += 1;
}

/** Partition to the offset where `--from` says that it begins. */
async function begin() {
  const there = (row) => (options.from === "beginning" ? row.low : row.high ?? row.offset);
  if (["beginning", "now"].includes(options.from)) {
    return offsets((admin) => admin.fetchTopicOffsets(TOPIC), there);
  }
  const moment = Date.parse(options.from);
  if (Number.isNaN(moment)) throw new Error(`--from: ${options.from} is no date`);
  return offsets((admin) => admin.fetchTopicOffsetsByTimestamp(TOPIC, moment));
}

async function offsets(ask, choose = (row) => row.offset) {
  const admin = kafka.admin();
  await admin.connect();
  try {
    return new Map((await ask(admin)).map((row) => [row.partition, BigInt(choose(row))]));
  } finally {
    await admin.disconnect();
  }
}

function leaveWhenCaughtUp() {
  const behind = [...ends].some(([partition, end]) => next.get(partition) < end);
  if (options["until-caught-up"] && !behind) stop(0);
}

function stop(code) {
  // Not at once: a consumer cannot leave from within its own handler.
  stopping ??= setImmediate(async () => {
    await consumer.disconnect();
    process.exit(code);
  });
}

/** Where the brokers are, and who asks: without a user, no TLS either. */
function connection() {
  const env = process.env;
  const brokers = (env.KAFKA_BOOTSTRAP_SERVERS ?? "localhost:9092").split(",");
  if (!env.KAFKA_SASL_USERNAME) return { brokers };
  return {
    brokers,
    ssl: env.KAFKA_SSL_CAFILE ? { ca: [readFileSync(env.KAFKA_SSL_CAFILE)] } : true,
    sasl: {
      mechanism: "scram-sha-512",
      username: env.KAFKA_SASL_USERNAME,
      password: env.KAFKA_SASL_PASSWORD,
    },
  };
}
