// Services of CSI over a unix socket: messages arrive as they were sent, absent fields with their defaults, errors with
// their code.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { controllerService } from "../../../csi/protocol/controller.ts";
import {
  type Listening,
  type RemoteService,
  RpcError,
  connectTo,
  implement,
  listen,
} from "../../../csi/protocol/grpc.ts";
import { realWorld } from "../../../machinery/real-world.ts";

const folder = mkdtempSync(join(tmpdir(), "csi-grpc-"));
const socket = join(folder, "csi.sock");
const { clock } = realWorld(() => {});
let server: Listening;
let controller: RemoteService<typeof controllerService>;
const received: unknown[] = [];

beforeAll(async () => {
  const handlers = implement(controllerService, {
    CreateVolume: async (request) => {
      received.push(request);
      return { volume: { volumeId: request.name, capacityBytes: request.capacityRange?.requiredBytes } };
    },
    DeleteVolume: async () => {
      throw new RpcError("FAILED_PRECONDITION", "the volume is in use");
    },
    ListVolumes: async () => {
      throw new TypeError("broken");
    },
    GetCapacity: () => new Promise(() => {}),
  });
  server = await listen(socket, [handlers]);
  controller = connectTo(socket, controllerService, clock);
});
afterAll(() => {
  controller.close();
  server.close();
  rmSync(folder, { recursive: true });
});

test("messages arrive as they were sent, and what was left out has its default", async () => {
  const response = await controller.call.CreateVolume({
    name: "pvc-1",
    capacityRange: { requiredBytes: 2 ** 40 },
    volumeCapabilities: [{ mount: { fsType: "ext4" }, accessMode: { mode: "SINGLE_NODE_WRITER" } }, { block: {} }],
    parameters: { kind: "folder" },
    accessibilityRequirements: { preferred: [{ segments: { host: "a" } }] },
  });
  expect(received).toEqual([
    {
      name: "pvc-1",
      capacityRange: { requiredBytes: 2 ** 40, limitBytes: 0 },
      volumeCapabilities: [
        {
          mount: { fsType: "ext4", mountFlags: [], volumeMountGroup: "" },
          accessMode: { mode: "SINGLE_NODE_WRITER" },
        },
        { block: {}, accessMode: null },
      ],
      parameters: { kind: "folder" },
      secrets: {},
      mutableParameters: {},
      volumeContentSource: null,
      accessibilityRequirements: { requisite: [], preferred: [{ segments: { host: "a" } }] },
    },
  ]);
  const volume = { volumeId: "pvc-1", capacityBytes: 2 ** 40, volumeContext: {}, contentSource: null };
  expect(response).toEqual({ volume: { ...volume, accessibleTopology: [] } });
});

const refused = (call: Promise<unknown>): Promise<[unknown, string]> =>
  call.then(
    () => Promise.reject(new Error("the call has succeeded")),
    (e: RpcError) => [e.code, e.message],
  );

test.each([
  ["an error of the protocol", "DeleteVolume", ["FAILED_PRECONDITION", "the volume is in use"]],
  ["another error", "ListVolumes", ["INTERNAL", "broken"]],
  ["a method without handler", "CreateSnapshot", ["UNIMPLEMENTED", "CreateSnapshot is not implemented"]],
] as const)("%s arrives with its code", async (_, method, error) => {
  expect(await refused(controller.call[method]({}))).toEqual(error);
});

test("a call without response ends at its deadline", async () => {
  const [code] = await refused(controller.call.GetCapacity({}, { timeoutMs: 50 }));
  expect(code).toBe("DEADLINE_EXCEEDED");
});

test("a service that nothing serves is unavailable, until it is served", async () => {
  const path = join(folder, "late.sock");
  const remote = connectTo(path, controllerService, clock);
  expect((await refused(remote.call.GetCapacity({})))[0]).toBe("UNAVAILABLE");
  const late = await listen(path, [
    implement(controllerService, { GetCapacity: async () => ({ availableCapacity: 5 }) }),
  ]);
  const capacity = async (): Promise<number> =>
    remote.call.GetCapacity({}).then(
      (r) => r.availableCapacity,
      () => capacity(),
    );
  expect(await capacity()).toBe(5);
  remote.close();
  late.close();
});
