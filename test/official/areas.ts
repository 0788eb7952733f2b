// Which specs are run together, and which are not run because what they test is not built. Pure.

/** Specs that one run of ginkgo executes. Serial specs disturb each other and run one at a time. */
export interface Area {
  readonly name: string;
  readonly sigs: readonly string[];
  readonly isSerial?: true;
  /** Specs beyond conformance: features that a cluster may lack, optional behaviour, stress. */
  readonly isBeyond?: true;
}
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
  { name: "apps-beyond", sigs: ["apps"], isBeyond: true },
  { name: "apps-beyond-serial", sigs: ["apps"], isBeyond: true, isSerial: true },
];
/** What {@link areas} have specs of, in Go's syntax. */
export const focusOfAll = String.raw`\[Conformance\]|\[sig-apps\]`;

/** What is not built, and the names of the specs that need it. Each would only wait for its time limit. */
export const notBuilt: readonly { readonly what: string; readonly specs: RegExp }[] = [
  { what: "images of a registry", specs: /private image|Deploy clustered applications/ },
  { what: "a shell on the nodes over SSH", specs: /DaemonRestart/ },
  { what: "a cloud's load balancer", specs: /cloud load-balancer/ },
  { what: "an upgrade of the cluster", specs: /Feature:StatefulUpgrade/ },
  { what: "an alpha feature", specs: /\[Alpha\]/ },
  {
    what: "custom resources",
    specs: /CustomResource|FieldValidation .*\bCRD?\b|AggregatedDiscovery .*\bCRDs\b/,
  },
  { what: "admission webhooks", specs: /AdmissionWebhook/ },
  { what: "admission policies", specs: /AdmissionPolicy/ },
  { what: "API aggregation", specs: /Aggregator/ },
  { what: "preemption", specs: /SchedulerPreemption/ },
];

const isSerial = (spec: string): boolean => /\[(Serial|Disruptive)\]/.test(spec);
export const isConformance = (spec: string): boolean => spec.includes("[Conformance]");

/** The area of a spec; every spec of {@link focusOfAll} has one. */
export const areaOf = (spec: string): Area | undefined =>
  areas.find(
    (a) =>
      (a.isSerial ?? false) === isSerial(spec) &&
      (a.isBeyond ?? false) === !isConformance(spec) &&
      a.sigs.some((s) => spec.includes(`[sig-${s}]`)),
  );

/** What a spec waits for, if it is something that is not built. */
export const missingFor = (spec: string): string | undefined => notBuilt.find(({ specs }) => specs.test(spec))?.what;
