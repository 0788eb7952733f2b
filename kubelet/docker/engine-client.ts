// The Docker client, without the gRPC stack and the SSH client it would load for building images and for engines far
// away: a kubelet uses neither, and each of them would cost every node's agent more than ten megabytes.
import { createRequire, registerHooks } from "node:module";
import type Docker from "dockerode";

const unused = new Set(["@grpc/grpc-js", "@grpc/proto-loader", "ssh2"]);
const nothingOfTheirs = "node:timers";

function load(): typeof Docker {
  const hooks = registerHooks({
    resolve: (specifier, context, next) =>
      unused.has(specifier)
        ? { url: nothingOfTheirs, format: "builtin", shortCircuit: true }
        : next(specifier, context),
  });
  try {
    return createRequire(import.meta.url)("dockerode") as typeof Docker;
  } finally {
    hooks.deregister();
  }
}

const Engine = load();

/** A client of the engine behind this socket. */
export const engineClient = (socketPath: string): Docker => new Engine({ socketPath });
