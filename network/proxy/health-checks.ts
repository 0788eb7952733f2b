// Health check node ports: report to a load balancer whether this node has endpoints of a service with
// `externalTrafficPolicy: Local`.
import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import { type Observed, proxiedServices, proxiedSlices } from "./rules.ts";

/** What one port reports. */
export interface HealthCheck {
  readonly namespace: string;
  readonly name: string;
  readonly localEndpoints: number;
}

/** The health checks of this node by port. Pure. */
export function healthChecksOf(observed: Omit<Observed, "pods">): ReadonlyMap<number, HealthCheck> {
  const checked = proxiedServices(observed).filter(
    ({ spec }) => spec.type === "LoadBalancer" && spec.externalTrafficPolicy === "Local" && spec.healthCheckNodePort,
  );
  return new Map(
    checked.map((service) => {
      const { namespace = "default", name } = service.metadata;
      const local = proxiedSlices(observed, service)
        .flatMap((slice) => slice.endpoints ?? [])
        .filter((e) => e.nodeName === observed.nodeName && e.conditions?.ready !== false);
      const localEndpoints = new Set(local.map((e) => e.addresses[0])).size;
      return [service.spec.healthCheckNodePort!, { namespace, name, localEndpoints }];
    }),
  );
}

function respond(response: ServerResponse, { namespace, name, localEndpoints }: HealthCheck): void {
  const body = { service: { namespace, name }, localEndpoints, serviceProxyHealthy: true };
  response
    .writeHead(localEndpoints > 0 ? 200 : 503, {
      "Content-Type": "application/json",
      "X-Content-Type-Options": "nosniff",
      "X-Load-Balancing-Endpoint-Weight": String(localEndpoints),
    })
    .end(JSON.stringify(body, null, "\t"));
}

/** The HTTP servers behind the health checks. */
export interface HealthCheckServers {
  /** Opens and closes ports so that exactly these are served. Rejects when a port cannot be opened. */
  serve(checks: ReadonlyMap<number, HealthCheck>): Promise<void>;
}

export function healthCheckServers(address = "0.0.0.0"): HealthCheckServers {
  const servers = new Map<number, Server>();
  let current: ReadonlyMap<number, HealthCheck> = new Map();
  const open = async (port: number): Promise<void> => {
    const server = createServer((_, response) => {
      const check = current.get(port);
      if (check) respond(response, check);
      else response.destroy();
    });
    server.listen(port, address);
    await once(server, "listening");
    servers.set(port, server);
  };
  return {
    async serve(checks) {
      current = checks;
      for (const [port, server] of servers)
        if (!checks.has(port)) {
          server.close();
          server.closeAllConnections();
          servers.delete(port);
        }
      for (const port of checks.keys()) if (!servers.has(port)) await open(port);
    },
  };
}
