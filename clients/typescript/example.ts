import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { createHalftone } from "./halftone.js";

// node example.js SERVER FILE: uploads a CSV, waits for its end, prints how it went and what failed.
const [server, file] = process.argv.slice(2);
if (server === undefined || file === undefined) {
  throw new Error("Usage: node example.js SERVER FILE");
}

const halftone = createHalftone(server, process.env["HALFTONE_API_KEY"]);
const { data: accepted, error: refused } = await halftone.POST("/upload", {
  body: { csv: await readFile(file, "utf8"), file_name: basename(file), quality: 40 },
});
if (accepted === undefined || !("request_id" in accepted)) {
  throw new Error(`Refused: ${JSON.stringify(refused)}`);
}

const path = { request_id: accepted.request_id };
for (;;) {
  const { data: status, error } = await halftone.GET("/status/{request_id}", { params: { path } });
  if (status === undefined) {
    throw new Error(`No status: ${JSON.stringify(error)}`);
  }

  if (status.finished_at !== undefined) {
    console.log(`${status.status}: ${status.progress.completed} of ${status.progress.total} images`);
    break;
  }

  await pause(200);
}

const { data: failed } = await halftone.GET("/requests/{request_id}/images", { params: { path, query: { status: "failed" } } });
for (const image of failed?.images ?? []) {
  console.log(`${image.input_url}: ${image.error_code}`);
}
