// Streaming protocols: negotiation, messages, status and streams by version.
import { describe, expect, test } from "vitest";
import { encodeMessage, decodeMessage } from "../../../kubelet/server/channels.ts";
import { portsIn, flawOf } from "../../../kubelet/server/port-forward.ts";
import {
  channelProtocols,
  negotiate,
  namesIn,
  spdyProtocols,
  resize,
  streamsOf,
  exitStatus,
  failureStatus,
  statusBytes,
  success,
} from "../../../kubelet/server/remote-command.ts";
import { expected } from "../../../kubelet/server/spdy-session.ts";

const named = (name: string) => channelProtocols.find((p) => p.name === name)!;

describe("protocol negotiation", () => {
  test.each([
    ["v5.channel.k8s.io, v4.channel.k8s.io", "v5.channel.k8s.io"],
    ["channel.k8s.io, v4.channel.k8s.io", "channel.k8s.io"],
    ["v9.channel.k8s.io,base64.channel.k8s.io", "base64.channel.k8s.io"],
    [undefined, ""],
    ["v9.channel.k8s.io", undefined],
  ])("%s selects %s", (offered, name) => {
    expect(negotiate(namesIn(offered), channelProtocols)?.name).toBe(name);
  });
  test("SPDY requires a protocol header", () => expect(negotiate([], spdyProtocols)).toBeUndefined());
});

describe("messages on channels", () => {
  test("binary messages have a channel byte", () => {
    const protocol = named("v5.channel.k8s.io");
    const message = encodeMessage(2, Buffer.from("oh"), protocol) as Buffer;
    expect([...message]).toEqual([2, 111, 104]);
    expect(decodeMessage(message, protocol)).toEqual({ channel: 2, data: Buffer.from("oh") });
    expect(decodeMessage(Buffer.alloc(0), protocol)).toBeUndefined();
  });
  test("base64 messages have a channel digit", () => {
    const protocol = named("v4.base64.channel.k8s.io");
    expect(encodeMessage(1, Buffer.from("hello").subarray(1, 4), protocol)).toBe("1ZWxs");
    expect(decodeMessage(Buffer.from("0aGk="), protocol)).toEqual({ channel: 0, data: Buffer.from("hi") });
  });
});

describe("final status", () => {
  test.each([
    [success, 4, '{"metadata":{},"status":"Success"}'],
    [success, 3, undefined],
    [exitStatus(7), 1, "command terminated with non-zero exit code: command terminated with exit code 7"],
    [failureStatus("no"), 1, "Internal error occurred: no"],
  ])("%o in version %i", (status, version, expected) => {
    expect(statusBytes(status, version)?.toString()).toBe(expected);
  });
  test("the exit code is among the causes", () => {
    expect(exitStatus(0)).toBe(success);
    expect(exitStatus(3)).toMatchObject({
      reason: "NonZeroExitCode",
      details: { causes: [{ reason: "ExitCode", message: "3" }] },
    });
  });
});

describe("streams of a session", () => {
  const streams = (query: string) => streamsOf(new URLSearchParams(query));
  test("are those requested; a terminal has no stderr", () => {
    expect(streams("output=1&error=1")).toEqual({ stdin: false, stdout: true, stderr: true, tty: false });
    expect(streams("input=1&output=1&error=1&tty=1")).toEqual({ stdin: true, stdout: true, stderr: false, tty: true });
  });
  test("at least one is required", () =>
    expect(() => streams("tty=1")).toThrow("you must specify at least 1 of stdin, stdout, stderr"));
  test("the resize stream exists over SPDY from version 3", () => {
    const terminal = streams("input=1&output=1&tty=1");
    expect(expected(terminal, { name: "", version: 4 })).toEqual(["error", "stdin", "stdout", "resize"]);
    expect(expected(terminal, { name: "", version: 2 })).toEqual(["error", "stdin", "stdout"]);
  });
  test("a terminal size has width and height", () => {
    const sizes: number[][] = [];
    const input = { resize: (...size: number[]) => void sizes.push(size) };
    for (const message of ['{"Width":80,"Height":24}', '{"Width":"80"}', "{"]) resize(input, message);
    expect(sizes).toEqual([[80, 24]]);
  });
});

describe("forwarded ports", () => {
  const ports = (query: string) => portsIn(new URLSearchParams(query));
  test("can be listed or repeated", () => expect(ports("port=80,443&port=8080")).toEqual([80, 443, 8080]));
  test.each([
    ["", 'query parameter "port" is required'],
    ["port=", 'query parameter "port" cannot be empty'],
    ["port=0", 'port "0" must be > 0'],
    ["port=80,x", 'unable to parse "80,x" as a port: strconv.ParseUint: parsing "x": invalid syntax'],
    ["port=70000", 'unable to parse "70000" as a port: strconv.ParseUint: parsing "70000": value out of range'],
  ])("?%s is refused: %s", (query, why) => expect(() => ports(query)).toThrow(why));
  test.each([
    [{ streamtype: "data" }, '"port" header is required'],
    [{ port: "0", streamtype: "data" }, 'port "0" must be > 0'],
    [{ port: "80" }, '"streamType" header is required'],
    [{ port: "80", streamtype: "stdin" }, 'invalid stream type "stdin"'],
    [{ port: "80", streamtype: "error" }, undefined],
  ])("a stream with %o: %s", (headers, flaw) => expect(flawOf(headers)).toBe(flaw));
});
