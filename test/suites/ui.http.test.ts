// The interactive view on a terminal, against a server that listens and a kubelet: lists, descriptions, logs, shells,
// deletion, and what happens when the server is gone.
import { once } from "node:events";
import { createServer } from "node:http";
import { request } from "node:https";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { pods } from "../../api/core/pods.ts";
import { key } from "../../api/meta.ts";
import { realWorld } from "../../machinery/real-world.ts";
import type { GlobalFlags } from "../../cli/program/global-flags.ts";
import { ui } from "../../cli/ui/ui.ts";
import { listeningServer, type TestServer } from "./listening.ts";
import { runs, type SimulatedNode, simulatedNode } from "./simulated-node.ts";
import { TestTerminal } from "./terminal.ts";

const { clock } = realWorld(() => {});
let server: TestServer;
let node: SimulatedNode;
beforeAll(async () => {
  server = await listeningServer();
  node = await simulatedNode(server);
  await node.create("web", [runs("app", "echo hello from web; while :; do sleep 1; done")]);
  await node.create("other", [runs("app", "echo other; while :; do sleep 1; done")]);
  await Promise.all(["web", "other"].map((name) => node.ready(name)));
});
afterAll(async () => {
  await node.close();
  await server.close();
});

const start = (terminal: TestTerminal, type?: string, flags: Partial<GlobalFlags> = {}): Promise<void> =>
  ui({
    flags: { environment: {}, kubeconfig: server.kubeconfig, cacheDir: `${server.kubeconfig}-cache`, ...flags },
    clock,
    terminal: terminal.streams,
    type,
    allNamespaces: false,
    labelSelector: undefined,
    isReadOnly: false,
    hasColors: true,
    edit: () => Promise.resolve(),
  });

test("pods are listed, described, followed, and the terminal is restored", async () => {
  const terminal = new TestTerminal(80, 24);
  const ended = start(terminal);
  const press = (keys: string, expected: string): Promise<void> => {
    terminal.type(keys);
    return terminal.shows(expected);
  };
  await terminal.shows("Pods default [2]");
  await node.create("newer", [runs("app", "while :; do sleep 1; done")]);
  await terminal.shows(" newer  ");
  await press("/web\r", "[1/3] </web>");
  await press("d", "Describe pod/web");
  await terminal.shows("Service Account:");
  await press("\x1b", "Pods default");
  await press("y", "YAML pod/web");
  await terminal.shows("\nkind: Pod\n");
  await press("q", "Pods default");
  await press("l", "hello from web");
  await press("q", "Pods default");
  await press("t", "Tree pod/web");
  await terminal.shows("Pod/web ");
  await press("\x1b", "Pods default");
  await press("\r", "Containers pod/web");
  await terminal.shows("sim/shell:1");
  // The shell of a simulated container ends at once, and leads back.
  const before = terminal.written.length;
  terminal.type("s");
  while (!terminal.written.slice(before).includes("\x1b[?1049h")) await clock.sleep(20);
  expect(terminal.written.slice(before)).toContain("app in default/web");
  await terminal.shows("Containers pod/web");
  await press("q", "Pods default");
  terminal.type("q");
  await ended;
  expect(terminal.written.lastIndexOf("\x1b[?1049l")).toBeGreaterThan(terminal.written.lastIndexOf("\x1b[?1049h"));
  expect(terminal.isRaw).toBe(false);
});

test("a pod is deleted after a question, an unknown type is explained, and the screen is resized", async () => {
  const terminal = new TestTerminal(80, 24);
  const ended = start(terminal);
  await terminal.shows(" web ");
  terminal.type(":widgets\r");
  await terminal.shows('the server doesn\'t have a resource type "widgets"');
  terminal.type("/other\r");
  await terminal.shows("</other>");
  terminal.type("\x04");
  await terminal.shows("Delete pod default/other? y/N");
  terminal.type("y");
  await terminal.shows("pod/other deleted");
  const { deletionTimestamp } = (await server.inProcess.get(pods, key("default", "web"))).metadata;
  expect(deletionTimestamp).toBeUndefined();
  terminal.resize(40, 10);
  while (terminal.text().split("\n").length !== 10) await clock.sleep(20);
  await terminal.shows("Pods default");
  expect(
    Math.max(
      ...terminal
        .text()
        .split("\n")
        .map((line) => line.length),
    ),
  ).toBeLessThanOrEqual(40);
  terminal.type("\x03");
  await ended;
});

test("a type can be chosen at the start; one that is not served is refused", async () => {
  const terminal = new TestTerminal(80, 24);
  const ended = start(terminal, "ns");
  await terminal.shows("Namespaces [");
  await terminal.shows("kube-system");
  terminal.type(":q\r");
  await ended;
  await expect(start(new TestTerminal(80, 24), "widgets")).rejects.toThrow(
    'the server doesn\'t have a resource type "widgets"',
  );
});

/** A gateway before the server that can be closed: it then refuses requests, and ends those under way. */
async function gateway() {
  let isClosed = false;
  const { ca, admin, url: target } = server;
  const listening = createServer((incoming, response) => {
    if (isClosed) return void response.writeHead(503).end("closed for maintenance");
    const { method, headers, url } = incoming;
    const forwarded = request(`${target}${url}`, { method, headers, ca, ...admin }, (upstream) => {
      response.writeHead(upstream.statusCode ?? 500, upstream.headers);
      upstream.pipe(response);
    });
    forwarded.on("error", () => response.destroy());
    response.on("close", () => forwarded.destroy());
    incoming.pipe(forwarded);
  }).listen(0, "127.0.0.1");
  await once(listening, "listening");
  return {
    url: `http://127.0.0.1:${(listening.address() as AddressInfo).port}`,
    close(): void {
      isClosed = true;
      listening.closeAllConnections();
    },
    open(): void {
      isClosed = false;
    },
    async stop(): Promise<void> {
      listening.close();
      listening.closeAllConnections();
      await once(listening, "close");
    },
  };
}

test("while the server is gone, rows stay and the error is shown; then the list goes on", async () => {
  const between = await gateway();
  const terminal = new TestTerminal(80, 24);
  const ended = start(terminal, undefined, { server: between.url });
  await terminal.shows(" web ");
  between.close();
  await terminal.shows("the server answered with status 503");
  await terminal.shows("trying again");
  await terminal.shows(" web ");
  await node.create("meanwhile", [runs("app", "while :; do sleep 1; done")]);
  between.open();
  await terminal.shows(" meanwhile ");
  await terminal.shows(" live");
  terminal.type("q");
  await ended;
  await between.stop();
});
