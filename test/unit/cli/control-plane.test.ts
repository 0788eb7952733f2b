// A control plane whose store does not respond.
import { createServer } from "node:net";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { serverConfig } from "../../../cli/cluster/config.ts";
import { startControlPlane } from "../../../cli/control-plane.ts";

test("it stops on a signal while it waits for etcd", async () => {
  // Accepts connections and stays silent.
  const silent = createServer();
  const connected = once(silent, "connection");
  silent.listen(0, "127.0.0.1");
  await once(silent, "listening");
  const { port } = silent.address() as { readonly port: number };
  const dir = mkdtempSync(join(tmpdir(), "control-plane-"));
  const store = { kind: "etcd", endpoints: [`http://127.0.0.1:${port}`] } as const;
  const stop = new AbortController();
  const started = startControlPlane(serverConfig(dir, "127.0.0.1", store), stop.signal);
  const failed = expect(started).rejects.toThrow("stopped by the test");
  await connected;
  stop.abort(new Error("stopped by the test"));
  await failed;
  silent.close();
  rmSync(dir, { recursive: true });
});
