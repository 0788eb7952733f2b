// Health endpoints. The exact texts matter: programs and people parse them.
import { expect, test } from "vitest";
import { type Check, health } from "../../../apiserver/http/health.ts";
import type { ApiRequest } from "../../../apiserver/request/request-response.ts";

const well = (name: string): Check => ({ name, check: async () => {} });
const ill = (name: string, because: string): Check => ({ name, check: () => Promise.reject(new Error(because)) });
const checks = {
  livez: [well("ping")],
  healthz: [well("ping")],
  readyz: [well("ping"), ill("etcd", "timed out"), ill("poststarthook/roles", "not finished")],
};
const ask = async (url: string): Promise<unknown> => {
  const [path = "", query = ""] = url.split("?");
  const response = await health(checks, { path, query: new URLSearchParams(query) } as ApiRequest);
  return response && [response.status, response.body];
};

const table = [
  ["/livez", 200, "ok"],
  ["/livez?verbose", 200, "[+]ping ok\nlivez check passed\n"],
  ["/livez?verbose&exclude=ping", 200, "[+]ping excluded: ok\nlivez check passed\n"],
  [
    "/healthz?verbose&exclude=b&exclude=a",
    200,
    '[+]ping ok\nwarn: some health checks cannot be excluded: no matches for "a","b"\nhealthz check passed\n',
  ],
  [
    "/readyz",
    500,
    "[+]ping ok\n[-]etcd failed: reason withheld\n[-]poststarthook/roles failed: reason withheld\nreadyz check failed\n",
  ],
  ["/readyz?exclude=etcd&exclude=poststarthook/roles", 200, "ok"],
  ["/readyz/ping", 200, "ok"],
  ["/readyz/etcd", 500, "internal server error: timed out\n"],
  ["/readyz/poststarthook/roles", 500, "internal server error: not finished\n"],
] as const;
for (const [url, status, body] of table)
  test(`GET ${url} is ${status}`, async () => expect(await ask(url)).toEqual([status, body]));
test("an unknown check is not found", async () =>
  expect([await ask("/readyz/x"), await ask("/other")]).toEqual([undefined, undefined]));
