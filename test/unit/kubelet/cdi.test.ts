// What CDI specifications add to a container.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { cdiEdits } from "../../../kubelet/devices/cdi.ts";

let root: string;
let folders: readonly string[];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "orrery-cdi-"));
  folders = ["etc", "run"].map((name) => join(root, name));
  for (const folder of folders) mkdirSync(folder);
});
afterEach(() => rmSync(root, { recursive: true }));
const write = (folder: number, name: string, text: string): void => writeFileSync(join(folders[folder]!, name), text);

const yaml = `
cdiVersion: 0.6.0
kind: example.com/gpu
containerEdits:
  env: [COMMON=1]
devices:
- name: a
  containerEdits:
    env: ["VISIBLE=a=0", EMPTY]
    deviceNodes: [{path: /dev/gpu0, hostPath: /dev/real0}, {path: /dev/gpu1, permissions: r}]
    mounts: [{hostPath: /lib/gpu, containerPath: /usr/lib/gpu, options: [ro, bind]}]
    additionalGids: [44]
    hooks: []
- name: b
  containerEdits: {env: [B=1]}
`;

test("environment, devices, mounts and groups, and once what all devices of a specification add", async () => {
  write(0, "gpu.yaml", yaml);
  expect(await cdiEdits(["example.com/gpu=a", "example.com/gpu=b"], folders)).toEqual({
    env: [
      ["VISIBLE", "a=0"],
      ["EMPTY", ""],
      ["B", "1"],
      ["COMMON", "1"],
    ],
    devices: [
      { source: "/dev/real0", target: "/dev/gpu0", readOnly: false },
      { source: "/dev/gpu1", target: "/dev/gpu1", readOnly: true },
    ],
    mounts: [{ source: "/lib/gpu", target: "/usr/lib/gpu", readOnly: true }],
    groups: ["44"],
  });
});

test("a specification of the later folder comes first, and a broken file defines nothing", async () => {
  write(0, "gpu.yaml", yaml);
  write(1, "broken.json", "{");
  const devices = [{ name: "b", containerEdits: { env: ["B=2"] } }];
  write(1, "gpu.json", JSON.stringify({ cdiVersion: "0.6.0", kind: "example.com/gpu", devices }));
  expect((await cdiEdits(["example.com/gpu=b"], folders)).env).toEqual([["B", "2"]]);
});

test.each([
  ["example.com/gpu=x", "unresolvable CDI devices example.com/gpu=x: not found in any specification"],
  ["example.com/net=eth0", "example.com/net=eth0: netDevices are not supported by the container engine"],
])("%s is refused", async (id, message) => {
  const net = { kind: "example.com/net", devices: [{ name: "eth0", containerEdits: { netDevices: [{}] } }] };
  write(0, "net.json", JSON.stringify(net));
  await expect(cdiEdits([id], folders)).rejects.toThrow(`CDI device injection failed: ${message}`);
});
