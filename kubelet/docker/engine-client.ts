// The Docker client without its gRPC and SSH libraries, which only builds and remote engines need and which would
// cost each node's agent more than ten megabytes each.
import { createRequire, registerHooks } from "node:module";
import type Docker from "dockerode";

const unused = new Set(["@grpc/grpc-js", "@grpc/proto-loader", "ssh2"]);
const emptyModule = "node:timers";

function load(): typeof Docker {
  const hooks = registerHooks({
    resolve: (specifier, context, next) =>
      unused.has(specifier) ? { url: emptyModule, format: "builtin", shortCircuit: true } : next(specifier, context),
  });
  try {
    return createRequire(import.meta.url)("dockerode") as typeof Docker;
  } finally {
    hooks.deregister();
  }
}

const Engine = load();

/** A client of the engine at this Unix socket. */
export const engineClient = (socketPath: string): Docker => new Engine({ socketPath });
