// Judges signed webhooks with the reference library. In: JSON lines {"secret", "headers", "body"}. Out: for each a line,
// "ok" or why it was refused.
import { createInterface } from "node:readline";
import { Webhook } from "standardwebhooks";

for await (const line of createInterface({ input: process.stdin })) {
  const { secret, headers, body } = JSON.parse(line);
  try {
    new Webhook(secret).verify(body, headers, { jsonParse: false });
    console.log("ok");
  } catch (error) {
    console.log(error.message);
  }
}
