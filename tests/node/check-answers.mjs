// Judges real bodies by the contract, ../../docs/openapi.json. In: JSON lines {"where", "schema", "body"}. Out: a line for each body that is not as its
// schema says, also where it has a member that is not in it, and then one for each member of a schema of the contract that no body had.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import Ajv from "ajv/dist/2020.js";
import addFormats from "ajv-formats";

const contract = JSON.parse(readFileSync("../../docs/openapi.json", "utf8"));
const schemas = contract.components.schemas;
for (const schema of Object.values(schemas)) schema.additionalProperties = false;
const ajv = addFormats(new Ajv({ strict: false, allErrors: true }));
ajv.addFormat("binary", true);
ajv.addSchema(contract, "contract");

const unseen = new Set(Object.entries(schemas).flatMap(([name, schema]) => Object.keys(schema.properties).map(member => `${name}.${member}`)));

const judge = schema => ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"contract#/')));

function see(body, schema) {
  if (schema.anyOf) return schema.anyOf.filter(one => judge(one)(body)).forEach(one => see(body, one));
  if (schema.items) return body.forEach(item => see(item, schema.items));
  const name = schema.$ref?.split("/").at(-1);
  for (const [member, of] of Object.entries(schemas[name]?.properties ?? {})) {
    if (body[member] === undefined) continue;
    unseen.delete(`${name}.${member}`);
    see(body[member], of);
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const { where, schema, body } = JSON.parse(line);
  const isRight = judge(schema);
  if (isRight(body)) see(body, schema);
  else console.log(`${where}: ${ajv.errorsText(isRight.errors)}: ${JSON.stringify(body)}`);
}
for (const member of unseen) console.log(`no body had ${member}`);
