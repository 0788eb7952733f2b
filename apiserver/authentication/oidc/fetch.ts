// Reads a JSON document of a provider: over https, whole within a time and a size, and nowhere else than where its
// address says.
import { request } from "node:https";
import type { Clock } from "../../../machinery/world.ts";

const timeoutMs = 10_000;
const mostBytes = 1_048_576;

export interface FetchOptions {
  /** The authorities of its certificate, as PEM; those of the system when left out. */
  readonly ca?: string | undefined;
  readonly clock: Clock;
}
/** A document by its address. Rejects when there is none. */
export type FetchJson = (url: string) => Promise<unknown>;

/** Redirects are not followed. */
export const jsonFetch =
  ({ ca, clock }: FetchOptions): FetchJson =>
  (url) =>
    new Promise((resolve, reject) => {
      const closed = new AbortController();
      const fail = (because: string): void => void call.destroy(new Error(`Get ${JSON.stringify(url)}: ${because}`));
      const trust = { ...(ca !== undefined && { ca }), rejectUnauthorized: true };
      const call = request(url, { ...trust, agent: false, headers: { accept: "application/json" } }, (response) => {
        if (response.statusCode !== 200) return fail(`it answers with status ${response.statusCode}`);
        const chunks: Buffer[] = [];
        let size = 0;
        response.on("data", (chunk: Buffer) => {
          size += chunk.length;
          if (size > mostBytes) fail(`it is larger than ${mostBytes} bytes`);
          else chunks.push(chunk);
        });
        response.on("error", reject);
        response.on("end", () => {
          try {
            resolve(JSON.parse(Buffer.concat(chunks).toString()));
          } catch {
            reject(new Error(`Get ${JSON.stringify(url)}: it is no JSON`));
          }
        });
      });
      call.on("error", reject);
      call.on("close", () => closed.abort());
      clock.sleep(timeoutMs, closed.signal).then(
        () => fail(`it is not complete after ${timeoutMs / 1000} s`),
        () => {},
      );
      call.end();
    });
