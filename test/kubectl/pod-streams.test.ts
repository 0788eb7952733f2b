// kubectl logs, exec, attach and port-forward, through the API server to a real kubelet; only the engine beneath it is
// simulated.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Pod } from "../../api/core/pods.ts";
import { listeningServer, type TestServer } from "../suites/listening.ts";
import { image, runs, type SimulatedNode, simulatedNode } from "../suites/simulated-node.ts";
import { configOf, type Kubectl, kubectls, runner, type CommandResult } from "./kubectl.ts";

const script = "echo hello; trap 'exit 0' TERM; while :; do sleep 1; done";
const prints = (word: string): string => script.replace("hello", word);
let server: TestServer;
let node: SimulatedNode;

beforeAll(async () => {
  server = await listeningServer();
  node = await simulatedNode(server);
  await node.create("web", [runs("c", script)]);
  await node.create("waiting", [runs("c", script)], { nodeName: "" });
  await node.create("pair", [runs("first", prints("one")), runs("second", prints("two"))]);
  await node.create("done", [runs("c", "echo bye")]);
  await node.create("missing", [{ name: "c", image: "no/such:1" }]);
  await Promise.all(["web", "pair"].map((name) => node.ready(name)));
  await node.until("done", (pod) => pod.status?.phase === "Succeeded");
  const pulls = (pod: Pod): boolean =>
    pod.status?.containerStatuses?.[0]?.state?.waiting?.reason?.includes("Pull") ?? false;
  await node.until("missing", pulls);
});
afterAll(async () => {
  await node.close();
  await server.close();
});

const rows = [
  ["logs web", 0, /^hello\n$/, /^$/],
  ["logs web --tail=1 --timestamps", 0, /^\d{4}-\d\d-\d\dT.*Z hello\n$/, /^$/],
  ["logs web --since=1h --limit-bytes=3", 0, /^hel$/, /^$/],
  ["logs waiting", 0, /^$/, /^$/],
  // kubectl asks for the containers in whatever order its map of them has.
  ["logs pair --all-containers", 0, /^(one\ntwo|two\none)\n$/, /^$/],
  ["logs -l app=pair -c second", 0, /^two\n$/, /^$/],
  [
    "logs missing",
    1,
    /^$/,
    /container "c" in pod "missing" is waiting to start: (trying and failing to pull image|image can't be pulled)\n/,
  ],
  ["logs web -c other", 1, /^$/, /container other is not valid for pod web/],
  ["logs web --previous", 1, /^$/, /previous terminated container "c" in pod "web" not found/],
  ["logs done --follow", 0, /^bye\n$/, /^$/],
  ["exec web -- sh -c hostname", 0, /^web\n$/, /^$/],
  ["exec -i web -- sh -c hostname", 0, /^web\n$/, /^$/],
  ["exec web -- sh -c exit_7", 7, /^$/, /command terminated with exit code 7/],
  ["exec web -- sh -c echo_wrong_>&2;_exit_1", 1, /^$/, /^wrong\ncommand terminated with exit code 1\n$/],
  ["exec web -- nowhere", 126, /exec: "nowhere": executable file not found in \$PATH/, /exit code 126/],
  ["exec nowhere -- ls", 1, /^$/, /pods "nowhere" not found/],
  ["exec waiting -- ls", 1, /^$/, /pod waiting does not have a host assigned/],
  ["exec web -c other -- ls", 1, /^$/, /container other is not valid for pod web/],
  ["exec missing -- ls", 1, /^$/, /unable to upgrade connection: container not found \("c"\)/],
  ["attach missing", 1, /^$/, /unable to attach|container not found|is not running|unable to upgrade/],
  ["get --raw /api/v1/nodes/n1/proxy/healthz", 0, /^ok$/, /^$/],
  ["get --raw /api/v1/nodes/n1/proxy/pods", 0, /"kind":"PodList".*"name":"web"/, /^$/],
  ["get --raw /api/v1/nodes/n1/proxy/runningpods/", 0, /"name":"pair"/, /^$/],
  ["get --raw /api/v1/nodes/n1/proxy/configz", 0, /"kubeletconfig":\{"port":\d+/, /^$/],
  ["get --raw /api/v1/nodes/n1/proxy/stats/summary", 0, /"nodeName":"n1"/, /^$/],
  ["get --raw /api/v1/nodes/n1/proxy/metrics", 0, /process_cpu_seconds_total/, /^$/],
  [
    "get --raw /api/v1/nodes/n1/proxy/metrics/resource",
    0,
    /pod_memory_working_set_bytes\{namespace="default",pod="pair"\} 2000000 \d+/,
    /^$/,
  ],
  ["get --raw /api/v1/nodes/n1/proxy/metrics/cadvisor", 0, /container_memory_rss\{container="first",id=/, /^$/],
  ["get --raw /api/v1/nodes/n1/proxy/logs/", 0, /^<pre>\n/, /^$/],
  ["get --raw /api/v1/nodes/n1/proxy/logs/../../etc/passwd", 1, /^$/, /NotFound/],
  ["get --raw /api/v1/nodes/n1:10250/proxy/pods", 1, /^$/, /error trying to reach service|address not allowed/],
] as const;

// The oldest of them speak SPDY, the newer ones WebSocket.
const found = kubectls(27);
if (found.length === 0) test("kubectl: none on this machine, so no logs were asked for with one", () => {});
const quiet = (text: string): string => text.replaceAll(/WARNING: version difference.*\n|Defaulted container.*\n/g, "");
for (const kubectl of found)
  describe(kubectl.name, () => {
    const run = (words: string | readonly string[], stdin?: string): Promise<CommandResult> =>
      runner(kubectl, configOf(server.kubeconfig))(words, stdin);

    for (const [line, code, out, err] of rows)
      test(line, async () => {
        const result = await run(line.split(" ").map((word) => word.replaceAll("_", " ")));
        expect([result.code, result.out, quiet(result.err)]).toEqual([
          code,
          expect.stringMatching(out),
          expect.stringMatching(err),
        ]);
      });

    test("what goes in comes out, and the end of it is heard", async () => {
      expect(await run("exec -i web -- cat", "over and out")).toMatchObject({ code: 0, out: "over and out" });
    });
    test("attach speaks with the container's own process, whose end is its end", async () => {
      const name = `talker-${kubectl.name.replaceAll(".", "-")}`;
      await node.create(name, [{ name: "c", image, command: ["cat"], stdin: true, stdinOnce: true }]);
      await node.ready(name);
      expect(await run(`attach -i ${name}`, "hello")).toMatchObject({ code: 0, out: expect.stringContaining("hello") });
    });
    test("debug brings a container into a pod that runs, to look at it", async () => {
      const name = `look-${kubectl.name.replaceAll(".", "-")}`;
      const debug = await run(`debug web -q --image=${image} --container=${name} -- echo looked`);
      expect([debug.code, quiet(debug.err)]).toEqual([0, expect.not.stringContaining("error")]);
      const isOver = (pod: Pod): boolean =>
        pod.status?.ephemeralContainerStatuses?.find((s) => s.name === name)?.state?.terminated !== undefined;
      await node.until("web", isOver);
      expect((await run(`logs web -c ${name}`)).out).toBe("looked\n");
    });
    test("megabytes pass, both ways, many at once", async () => {
      const size = 8 * 1024 * 1024;
      const text = "y".repeat(size);
      const up = run("exec -i web -- wc", text);
      const both = run("exec -i web -- cat", text);
      const down = run(`exec web -- yes ${size}`);
      expect((await up).out.trim()).toBe(String(size));
      for (const result of await Promise.all([both, down])) expect([result.code, result.out.length]).toEqual([0, size]);
    });
    test("a port is forwarded, and one where nobody listens is told of", async () => {
      await forwarding(kubectl, "web", "7", async (port) => {
        expect(await Promise.all(["one", "two", "three"].map((word) => echo(port, word)))).toEqual([
          "one",
          "two",
          "three",
        ]);
      });
      const err = await forwarding(kubectl, "web", "9", (port) => echo(port, "anybody?"));
      expect(err).toMatch(/error forwarding port 9 to pod web, uid .*: connect ECONNREFUSED/);
    });
  });

/** What comes back for a word sent to this port. */
async function echo(port: number, word: string): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  socket.on("error", () => {});
  socket.end(word);
  let text = "";
  for await (const data of socket) text += data;
  return text;
}

/** Works while `kubectl port-forward` runs; what it complained of. */
async function forwarding(
  kubectl: Kubectl,
  pod: string,
  remote: string,
  work: (port: number) => Promise<unknown>,
): Promise<string> {
  const args = ["--kubeconfig", server.kubeconfig, "port-forward", pod, `:${remote}`];
  const child = spawn(kubectl.path, args, { stdio: ["ignore", "pipe", "pipe"] });
  let err = "";
  child.stderr.on("data", (data: Buffer) => {
    err += data.toString();
  });
  try {
    let result = "";
    for await (const data of child.stdout) {
      result += data;
      const port = /127\.0\.0\.1:(\d+) ->/.exec(result)?.[1];
      if (port === undefined) continue;
      await work(Number(port));
      break;
    }
  } finally {
    const ended = once(child, "close");
    child.kill();
    await ended;
  }
  return err;
}
