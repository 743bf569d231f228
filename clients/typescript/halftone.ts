import createClient from "openapi-fetch";
import type { paths } from "./contract.js";

/**
 * A client of a Halftone server: every route of its contract, with the types of what it takes and answers.
 * @param baseUrl The server, such as http://127.0.0.1:4300.
 * @param apiKey Where the server asks for one.
 */
export function createHalftone(baseUrl: string, apiKey?: string) {
  return createClient<paths>({ baseUrl, headers: apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` } });
}
