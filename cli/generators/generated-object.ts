// The objects that generators make. Their keys are in the order of Kubernetes' Go structs, in which kubectl prints
// them.

export interface GeneratedMeta {
  readonly name: string;
  readonly namespace?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}
/** An object to be created. Fields without a value are left out when it is sent or printed. */
export interface GeneratedObject {
  readonly kind: string;
  readonly apiVersion: string;
  readonly metadata: GeneratedMeta;
  readonly [field: string]: unknown;
}

/** The items, or undefined when there are none: empty lists are left out of generated objects. */
export const unlessEmpty = <T>(items: readonly T[]): readonly T[] | undefined => (items.length > 0 ? items : undefined);

const orderedMeta = ({ name, namespace, labels, annotations, ...rest }: GeneratedMeta): GeneratedMeta => ({
  name,
  ...(namespace === undefined ? {} : { namespace }),
  ...rest,
  ...(labels === undefined ? {} : { labels }),
  ...(annotations === undefined ? {} : { annotations }),
});

/** The object with other metadata. */
export const withMeta = (object: GeneratedObject, change: Partial<GeneratedMeta>): GeneratedObject => ({
  ...object,
  metadata: orderedMeta({ ...object.metadata, ...change }),
});
