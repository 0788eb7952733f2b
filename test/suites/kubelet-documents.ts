// A server that responds as the kubelet of node n1 does, with documents that a test writes, and the node that names it.
import { once } from "node:events";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { nodes } from "../../api/core/nodes.ts";
import type { TestServer } from "./listening.ts";

/** Starts it; `documents` has the bodies by path, made for each request. Other paths are not found. */
export async function serveDocuments(
  server: TestServer,
  documents: Readonly<Record<string, () => string>>,
): Promise<Server> {
  const serving = await server.authority.issue({ name: "system:node:n1", hosts: ["127.0.0.1"], use: "server" });
  const options = { ...serving, ca: server.ca, requestCert: true, rejectUnauthorized: true };
  const kubelet = createServer(options, ({ url = "" }, response) => {
    const document = documents[url];
    if (document) response.end(document());
    else response.writeHead(404).end();
  }).listen(0, "127.0.0.1");
  await once(kubelet, "listening");
  const { port: Port } = kubelet.address() as AddressInfo;
  const node = await server.inProcess.create(nodes, { kind: "Node", metadata: { name: "n1" } } as never);
  const status = {
    addresses: [{ type: "InternalIP", address: "127.0.0.1" }],
    daemonEndpoints: { kubeletEndpoint: { Port } },
  };
  await server.inProcess.update(nodes, { ...node, status } as typeof node, "status");
  return kubelet;
}
