// Gives the document on standard input to the official parser. Ends with 1 when it finds fault with it, warnings included.
// usage: node validate.mjs NAME <document
import { readFileSync } from "node:fs";
import { Parser } from "@asyncapi/parser";

const name = process.argv[2] ?? "document";
const { document, diagnostics } = await new Parser().parse(readFileSync(0, "utf-8"));
// 0 is an error, 1 a warning; below are hints, e.g. that the document has no tags.
const faults = diagnostics.filter((found) => found.severity <= 1);
for (const found of faults) {
    console.error(`${name}: ${found.path.join(".")}: ${found.message} (${found.code})`);
}
if (document === undefined || faults.length > 0) {
    process.exit(1);
}
const channels = document.allChannels().length;
console.log(`${name}: AsyncAPI ${document.version()}, ${channels} channels, ${document.allMessages().length} messages, no fault`);
