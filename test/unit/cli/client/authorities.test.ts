// The authorities a connection trusts: those it names and no others, with the process's environment left as it was.
import { once } from "node:events";
import { connect, createServer, type TLSSocket } from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import { realWorld } from "../../../../machinery/real-world.ts";
import { CliError } from "../../../../cli/cli-error.ts";
import { secureContext } from "../../../../cli/client/authorities.ts";
import { type Authority, newAuthority } from "../../../../cli/cluster/pki.ts";

const now = realWorld(() => {}).clock.now();
let own: Authority;
let other: Authority;
let server: ReturnType<typeof createServer>;

beforeAll(async () => {
  [own, other] = await Promise.all([newAuthority("own", now), newAuthority("other", now)]);
  server = createServer(await own.issue({ name: "server", hosts: ["localhost"], use: "server" }));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterAll(() => server.close());

/** "connected", or the code of the error. */
async function outcome(context: Parameters<typeof secureContext>[0]): Promise<string> {
  const { port } = server.address() as { port: number };
  const options = { port, host: "127.0.0.1", servername: "localhost", secureContext: secureContext(context) };
  const socket: TLSSocket = connect(options);
  try {
    await once(socket, "secureConnect");
    return "connected";
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? "";
  } finally {
    socket.destroy();
  }
}

test("a server is trusted by its authority alone", async () => {
  expect(await outcome({ ca: own.pem.cert })).toBe("connected");
  expect(await outcome({ ca: `${other.pem.cert}${own.pem.cert}` })).toBe("connected");
  expect(await outcome({ ca: other.pem.cert })).toBe("UNABLE_TO_VERIFY_LEAF_SIGNATURE");
  expect(await outcome({})).toBe("UNABLE_TO_VERIFY_LEAF_SIGNATURE");
});

test("the environment stays as it was, also when a certificate cannot be read", () => {
  const before = { ...process.env };
  secureContext({ ca: own.pem.cert });
  expect(() => secureContext({ ca: own.pem.cert, cert: own.pem.cert, key: "no key" })).toThrow(CliError);
  expect({ ...process.env }).toEqual(before);
});
