// What needs somewhere to run: pods that live, rollouts that go on, sessions in containers. The cluster is whole; only
// the engine beneath the kubelet is simulated, and `test/sim/shell.ts` says what its containers understand.
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { connect } from "node:net";
import { expect, vi } from "vitest";
import { pods } from "../../../api/core/pods.ts";
import { key } from "../../../api/meta.ts";
import type { Scenario, ScenarioContext } from "../scenario.ts";

const image = "sim/shell:1";
const live = "echo hello; trap 'exit 0' TERM; while :; do sleep 1; done";
const deployment = (version: string): string => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: app, annotations: {kubernetes.io/change-cause: "${version}"}}
spec:
  replicas: 2
  selector: {matchLabels: {app: app}}
  template:
    metadata: {labels: {app: app}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - {name: c, image: "${image}", command: [sh, -c, "${live}"], env: [{name: VERSION, value: "${version}"}]}
`;

/** Has a pod of one container that runs this script, and is ready. */
async function lives(
  { server, namespace }: ScenarioContext,
  name: string,
  script = live,
  more: object = {},
): Promise<void> {
  const container = { name: "c", image, command: ["sh", "-c", script], ...more };
  const spec = { restartPolicy: "Never" as const, containers: [container] };
  await server.inProcess.create(pods, { kind: "Pod", metadata: { name, namespace, labels: { app: name } }, spec });
  const isUp = async (): Promise<void> => {
    const { status } = await server.inProcess.get(pods, key(namespace, name));
    const { started, state } = status?.containerStatuses?.[0] ?? {};
    expect(started || state?.terminated !== undefined).toBe(true);
  };
  await vi.waitFor(isUp, { timeout: 60_000, interval: 50 });
}

/** What comes back for a word sent to a port. */
async function echo(port: number, word: string): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  socket.end(word);
  let text = "";
  for await (const data of socket) text += data;
  return text;
}
const fetched = (port: number, path: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const asked = request({ port, path, host: "127.0.0.1" }, async (response) => {
      let text = "";
      for await (const data of response) text += data;
      resolve(text);
    });
    asked.on("error", reject);
    asked.end();
  });

export const running: Readonly<Record<string, Scenario>> = {
  "rolls out, and back": async (context) => {
    const { prints } = context;
    await prints("apply -f -", "deployment.apps/app created", deployment("one"));
    await prints("rollout status deployment app --timeout=60s", /successfully rolled out/);
    await prints("apply -f -", "deployment.apps/app configured", deployment("two"));
    await prints("rollout status deployment app --timeout=60s", /successfully rolled out/);
    await prints("rollout history deployment app", /REVISION +CHANGE-CAUSE\n1 +one\n2 +two/);
    await prints("rollout history deployment app --revision=2", /VERSION:\s+two/);
    await prints("rollout undo deployment app", "deployment.apps/app rolled back");
    await prints("rollout status deployment app --timeout=60s", /successfully rolled out/);
    await prints("get deploy app -o jsonpath={.spec.template.spec.containers[0].env[0].value}", "one");
    await prints("rollout pause deployment app", "deployment.apps/app paused");
    await prints("rollout resume deployment app", "deployment.apps/app resumed");
    await prints("rollout restart deployment app", "deployment.apps/app restarted");
    await prints("rollout status deployment app --timeout=60s", /successfully rolled out/);
    await prints("get pods -l app=app", /app-\S+ +1\/1 +Running/);
    await prints("describe deployment app", /ScalingReplicaSet/);
  },
  "reads logs": async (context) => {
    const { prints } = context;
    await lives(context, "web");
    await prints("logs web", "hello");
    await prints("logs -l app=web --tail=1 --prefix", /\[pod\/web\/c\] hello/);
    await lives(context, "done", "echo bye");
    await prints("logs --follow done", "bye");
  },
  "works in a container, at a terminal": async (context) => {
    const { prints, types } = context;
    await lives(context, "web");
    await prints("exec web -- hostname", "web");
    const listening = "read line; echo got it";
    await types(`exec -it web -- sh -c "${listening}"`, "over\n", /got it/);
    await lives(context, "talker", listening, { stdin: true, stdinOnce: true, tty: true });
    await types("attach -it talker", "hi there\n", /got it/);
    const once = `run -it --rm once --image=${image} --restart=Never --command -- sh -c "${listening}"`;
    await types(once, "good day\n", /got it[\s\S]*pod "once".* deleted/);
    await types(`debug -it web --image=${image} -- sh -c "${listening}"`, "anybody\n", /got it/);
    await types(
      "delete --interactive pod talker",
      "y\n",
      /Do you want to continue\? \(y\/[nN]\): [\s\S]*pod \\?"talker\\?".* deleted/,
    );
  },
  "forwards a port, and stands between a browser and the server": async (context) => {
    const { start } = context;
    await lives(context, "web");
    const forwarding = start("port-forward pod/web :7");
    const [, port] = await forwarding.waitsFor(/127\.0\.0\.1:(\d+) -> 7/);
    expect(await echo(Number(port), "one")).toBe("one");
    await forwarding.stop();
    const proxying = start("proxy --port=0");
    const [, own] = await proxying.waitsFor(/127\.0\.0\.1:(\d+)/);
    expect(await fetched(Number(own), "/api/v1/namespaces/default/pods/web")).toMatch(/"name":\s?"web"/);
    await proxying.stop();
  },
  "copies files": async (context) => {
    const { prints, file } = context;
    await lives(context, "web");
    await prints(["cp", file("note.txt", "a note\n"), "web:/tmp/note.txt"], "");
    const copy = file("copy.txt", "");
    await prints(["cp", "web:etc/hostname", copy], "");
    expect(readFileSync(copy, "utf8")).toBe("web\n");
  },
  "looks into a pod with a container of its own": async (context) => {
    const { prints } = context;
    await lives(context, "web");
    await prints(`debug web --image=${image} --container=look -- sleep 1000`, /^$/);
    await prints("get pod web -o jsonpath={.spec.ephemeralContainers[0].name}", "look");
    await prints(`debug web --copy-to=copy --image=${image} --container=more -- sleep 1000`, /^$/);
    await prints("get pod copy -o jsonpath={.spec.containers[*].name}", "c more");
    await prints(
      `debug node/n1 --image=${image} -- sleep 1000`,
      /Creating debugging pod node-debugger-n1-\S+ with container debugger on node n1/,
    );
  },
  measures: async (context) => {
    const { prints, eventuallyPrints } = context;
    await lives(context, "web");
    await prints("top node", /NAME +CPU\(cores\) +CPU\S* +MEMORY\(bytes\) +MEMORY\S*\s*\nn1 +\d+m/);
    await eventuallyPrints("top pod", /NAME +CPU\(cores\) +MEMORY\(bytes\)\s*\nweb +\d+m +\d+Mi/);
    await prints("top pod web --containers", /POD +NAME +CPU\(cores\) +MEMORY\(bytes\)\s*\nweb +c +\d+m/);
  },
};
