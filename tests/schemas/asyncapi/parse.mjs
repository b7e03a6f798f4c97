// Parses the AsyncAPI document on standard input; what the parser says of it, as JSON.
import { text } from "node:stream/consumers";
import { Parser } from "@asyncapi/parser";

const { document, diagnostics } = await new Parser().parse(await text(process.stdin));
const found = diagnostics.map(({ severity, message, path }) => ({
  severity: ["error", "warning", "information", "hint"][severity],
  message,
  path: path.join("/"),
}));
const channels = document?.channels().all().map((channel) => channel.address()) ?? null;
console.log(JSON.stringify({ channels, found }));
