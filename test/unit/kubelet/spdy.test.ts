// SPDY as kubectl uses it: frames, compressed headers, bidirectional streams.
import { PassThrough } from "node:stream";
import { deflateSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { type Dialer, forwardPorts } from "../../../kubelet/server/port-forward.ts";
import { type Frame, frames, spdyConnection, type Transport } from "../../../kubelet/server/spdy.ts";
import {
  dictionary,
  type Headers,
  headerStream,
  readHeaders,
  writeHeaders,
} from "../../../kubelet/server/spdy-headers.ts";

const syn = (stream: number, block: Buffer): Buffer => {
  const bytes = Buffer.alloc(18);
  bytes.writeUInt32BE(0x8003_0001, 0);
  bytes.writeUInt32BE(10 + block.length, 4);
  bytes.writeUInt32BE(stream, 8);
  return Buffer.concat([bytes, block]);
};
const data = (stream: number, text: string, end = false): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32BE(stream, 0);
  bytes.writeUInt32BE(((end ? 1 : 0) << 24) | text.length, 4);
  return Buffer.concat([bytes, Buffer.from(text)]);
};

describe("headers", () => {
  test("the compression dictionary is that of SPDY/3.1", () => {
    expect(dictionary).toHaveLength(1_423);
    expect(deflateSync("x", { dictionary }).subarray(2, 6).toString("hex")).toBe("e3c6a7c2");
  });
  test("headers round-trip", () => {
    const headers = { streamtype: "data", port: "8080" };
    expect(readHeaders(writeHeaders(headers))).toEqual(headers);
  });
  test("header blocks share compression state in each direction", async () => {
    const [compress, decompress] = [headerStream("compress"), headerStream("decompress")];
    const blocks = ([{ a: "1" }, { a: "1", b: "2" }, { a: "1", b: "2" }] as Headers[]).map(writeHeaders);
    const packed = await Promise.all(blocks.map(compress));
    const unpacked = await Promise.all(packed.map(decompress));
    expect(unpacked.map(readHeaders)).toEqual([{ a: "1" }, { a: "1", b: "2" }, { a: "1", b: "2" }]);
    expect(packed[2]!.length).toBeLessThan(blocks[2]!.length);
  });
});

test("frames are decoded from any chunks", async () => {
  const bytes = Buffer.concat([data(1, "hello"), syn(3, Buffer.from("x")), data(1, "", true)]);
  const byOne = async function* () {
    for (const b of bytes) yield Buffer.from([b]);
  };
  const found: Frame[] = [];
  for await (const f of frames(byOne())) found.push(f);
  expect(found.map((f) => ("stream" in f ? `${f.stream}:${f.body}:${f.flags}` : `control ${f.control}`))).toEqual([
    "1:hello:0",
    "control 1",
    "1::1",
  ]);
});

type Pack = (headers: Headers) => Promise<Buffer>;

/** The server's stream data, until it contains `last`. */
async function exchange(
  script: (pack: Pack) => Promise<readonly Buffer[]>,
  dial: Dialer["dial"],
  last: string,
): Promise<string> {
  const wire = new PassThrough();
  const written: Buffer[] = [];
  const received = Promise.withResolvers<void>();
  const send = async (bytes: Buffer): Promise<void> => {
    written.push(bytes);
    if (bytes.includes(last)) received.resolve();
  };
  const serving = forwardPorts({ pod: "web, uid 1", dial }, { incoming: wire, send });
  const compress = headerStream("compress");
  for (const bytes of await script((h) => compress(writeHeaders(h)))) wire.write(bytes);
  await received.promise;
  wire.end();
  await serving;
  const sent = async function* () {
    yield* written;
  };
  let text = "";
  for await (const f of frames(sent())) if ("stream" in f && f.body.length > 0) text += `${f.stream}:${f.body};`;
  return text;
}

const pair = async (pack: Pack): Promise<readonly Buffer[]> => [
  syn(1, await pack({ streamtype: "error", port: "80", requestid: "0" })),
  syn(3, await pack({ streamtype: "data", port: "80", requestid: "0" })),
  data(3, "ping"),
];

test("a forwarded connection is bidirectional", async () => {
  const echo = async () => {
    const pipe = new PassThrough();
    return { input: pipe, output: pipe };
  };
  expect(await exchange(pair, echo, "ping")).toBe("3:ping;");
});

test("a failed connection is reported on the error stream", async () => {
  const refused = () => Promise.reject(new Error("connection refused"));
  expect(await exchange(pair, refused, "refused")).toBe(
    "1:error forwarding port 80 to pod web, uid 1: connection refused;",
  );
});

/** Two ends of a wire. */
function wire(): readonly [Transport, Transport] {
  const [there, back] = [new PassThrough(), new PassThrough()];
  const end = (incoming: PassThrough, to: PassThrough): Transport => ({
    incoming,
    send: async (bytes) => void to.write(bytes),
  });
  return [end(there, back), end(back, there)];
}

describe("a client", () => {
  const opening = async (dial: Dialer["dial"]) => {
    const [near, far] = wire();
    void forwardPorts({ pod: "web, uid 1", dial }, far);
    const { open } = spdyConnection(near, () => {});
    const errors = await open({ streamtype: "error", port: "80", requestid: "0" });
    await errors.finish();
    return { errors, data: await open({ streamtype: "data", port: "80", requestid: "0" }) };
  };
  const textOf = async (stream: AsyncIterable<unknown>): Promise<string> => {
    let text = "";
    for await (const chunk of stream) text += String(chunk);
    return text;
  };

  test("ends its side of a connection, and reads on", async () => {
    // Answers when it has read all.
    const dial = async () => {
      const [input, output] = [new PassThrough(), new PassThrough()];
      void textOf(input).then((text) => output.end(text.toUpperCase()));
      return { input, output };
    };
    const { data, errors } = await opening(dial);
    await data.write(Buffer.from("a".repeat(200_000)));
    await data.finish();
    expect(await textOf(data.incoming)).toBe("A".repeat(200_000));
    expect(await textOf(errors.incoming)).toBe("");
  });
  test("reads why a connection was refused", async () => {
    const { data, errors } = await opening(() => Promise.reject(new Error("connection refused")));
    expect(await textOf(errors.incoming)).toBe("error forwarding port 80 to pod web, uid 1: connection refused");
    expect(await textOf(data.incoming)).toBe("");
  });
  test("resets a stream whose output it does not want", async () => {
    const written = Promise.withResolvers<void>();
    const dial = async () => {
      const output = new PassThrough();
      output.on("close", () => written.resolve());
      const pour = (): void => void (output.destroyed || output.write(Buffer.alloc(65_536), pour));
      pour();
      return { input: new PassThrough(), output };
    };
    const { data } = await opening(dial);
    await data.reset();
    await written.promise;
    expect(await textOf(data.incoming)).toBe("");
  });
});
