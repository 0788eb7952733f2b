// Which specs are run together, and which are not run because what they test is not built. Pure.

/** Specs that one run of ginkgo executes. Serial specs disturb each other and run one at a time. */
export interface Area {
  readonly name: string;
  readonly sigs: readonly string[];
  readonly isSerial?: true;
  /** Specs beyond conformance: features that a cluster may lack, optional behaviour, stress. */
  readonly isBeyond?: true;
  /** Of the specs of the groups, or of those of no group, these. */
  readonly only?: RegExp;
}
/** The suite's own drivers of volumes that a node has by itself. */
const nodeDrivers = String.raw`\[Driver: (emptydir|hostPath|hostPathSymlink|local)\]`;
export const areas: readonly Area[] = [
  { name: "api-machinery", sigs: ["api-machinery"] },
  { name: "apps", sigs: ["apps"] },
  { name: "network", sigs: ["network"] },
  { name: "node", sigs: ["node"] },
  { name: "storage", sigs: ["storage"] },
  { name: "others", sigs: ["architecture", "auth", "cli", "instrumentation", "scheduling"] },
  {
    name: "serial",
    sigs: [
      ...["api-machinery", "apps", "architecture", "auth", "cli"],
      ...["instrumentation", "network", "node", "scheduling", "storage"],
    ],
    isSerial: true,
  },
  { name: "network-policy", sigs: ["network"], isBeyond: true, only: /\] Netpol/ },
  { name: "apps-beyond", sigs: ["apps"], isBeyond: true },
  { name: "apps-beyond-serial", sigs: ["apps"], isBeyond: true, isSerial: true },
  { name: "scheduling-beyond", sigs: ["scheduling"], isBeyond: true },
  { name: "scheduling-beyond-serial", sigs: ["scheduling"], isBeyond: true, isSerial: true },
  { name: "devices", sigs: ["api-machinery", "node"], isBeyond: true, only: /\[DRA\]/ },
  { name: "devices-serial", sigs: ["node"], isBeyond: true, isSerial: true, only: /\[DRA\]/ },
  { name: "storage-node", sigs: ["storage"], isBeyond: true, only: new RegExp(nodeDrivers) },
  { name: "storage-local-driver", sigs: [], isBeyond: true, only: /^External Storage \[Driver: local/ },
  { name: "storage-shared-driver", sigs: [], isBeyond: true, only: /^External Storage \[Driver: shared/ },
  { name: "storage-beyond", sigs: ["storage"], isBeyond: true },
  { name: "storage-beyond-serial", sigs: ["storage"], isBeyond: true, isSerial: true },
];
/** What {@link areas} have specs of, in Go's syntax. */
export const focusOfAll = String.raw`\[Conformance\]|\[sig-(apps|scheduling|storage)\]|\[DRA\]|\[sig-network\] Netpol|External Storage`;

/**
 * Specs that are generated for each driver, type of local volume, way to provide a volume and file system. Of the types
 * of local volumes four are run, of the ways those by which users get the type.
 */
const repeated = new RegExp(
  [
    String.raw`LocalVolumeType: (dir|dir-link|dir-bindmounted|gce-localssd-scsi-fs)\]`,
    String.raw`${nodeDrivers}.*\[Testpattern: (Dynamic|Generic)`,
    String.raw`Driver: local\].*Inline-volume`,
    "External Storage.*(Inline-volume|Pre-provisioned|CSI Ephemeral)",
    String.raw`Testpattern: .*\(ext4\)`,
  ].join("|"),
);

/** What is not there, and the names of the specs that need it. Each would only wait for its time limit. */
export const notBuilt: readonly { readonly what: string; readonly specs: RegExp }[] = [
  { what: "images of a registry", specs: /private image|Deploy clustered applications|external dynamic provisioner/ },
  {
    what: "images of the CSI sidecars and of the hostpath driver, which no module proxy has",
    specs: /CSI Mock|Driver: csi-hostpath|MutableCSINode|StaticPods.*CSI/,
  },
  {
    what: "a cloud's disks",
    specs: /Driver: (pd\.csi|vsphere|cinder|azure)|vsphere|vcp|GCE|gce-|gce pd|AWS KMS|Feature:StorageProvider/,
  },
  { what: "a server for NFS or iSCSI", specs: /Driver: (nfs|nfs3|iscsi)\]|NFS/ },
  { what: "SCTP in the kernel", specs: /Feature:SCTPConnectivity/ },
  { what: "Windows", specs: /Windows|\(ntfs\)/ },
  { what: "a file system that the node's image lacks", specs: /\((xfs|ext3)\)/ },
  {
    what: "a file system that grows while it is mounted, for which the machine lacks CAP_SYS_RESOURCE",
    specs: /loopback local block volume/,
  },
  { what: "Flexvolumes or gitRepo volumes, which are deprecated", specs: /[Ff]lexvolume|git_repo/ },
  { what: "SELinux", specs: /SELinux|selinux/ },
  {
    what: "a shell on the nodes over SSH, to stop the kubelet",
    specs: /\[Disruptive\].*kubelet|kubelet.*\[Disruptive\]|NonGraceful/,
  },
  { what: "metrics of Kubernetes' own controllers", specs: /Volume metrics/ },
  { what: "snapshots of groups, or the metadata of snapshots", specs: /GroupSnapshot|SnapshotMetadata/ },
  {
    what: "nothing: with other types of local volumes and file systems they repeat those that are run",
    specs: repeated,
  },
  { what: "a shell on the nodes over SSH", specs: /DaemonRestart/ },
  { what: "a cloud's load balancer", specs: /cloud load-balancer/ },
  { what: "an upgrade of the cluster", specs: /Feature:StatefulUpgrade/ },
  { what: "an alpha feature", specs: /\[Alpha\]/ },
  { what: "an API that is off by default", specs: /\[Feature:OffByDefault\]|\[DRA\].*with v1beta\d API/ },
  { what: "webhooks", specs: /AdmissionWebhook|ConversionWebhook/ },
  { what: "admission policies", specs: /AdmissionPolicy|\[DRA\].*per-node permission checks/ },
  { what: "API aggregation", specs: /Aggregator/ },
];

const isSerial = (spec: string): boolean => /\[(Serial|Disruptive)\]/.test(spec);
export const isConformance = (spec: string): boolean => spec.includes("[Conformance]");

/** The area of a spec; every spec of {@link focusOfAll} has one. */
export const areaOf = (spec: string): Area | undefined =>
  areas.find(
    (a) =>
      (a.isSerial ?? false) === isSerial(spec) &&
      (a.isBeyond ?? false) === !isConformance(spec) &&
      (a.only?.test(spec) ?? true) &&
      (a.sigs.length === 0 || a.sigs.some((s) => spec.includes(`[sig-${s}]`))),
  );

/** What a spec waits for, if it is something that is not built. */
export const missingFor = (spec: string): string | undefined => notBuilt.find(({ specs }) => specs.test(spec))?.what;
