// Deletes the objects of a selection, one by one.
import { hasReason } from "../../api/errors.ts";
import { keyOf } from "../../api/meta.ts";
import { objectOf } from "../registry/codec.ts";
import type { ApiReply } from "../request/request-response.ts";
import { listQuery, momentOf } from "../request/list-options.ts";
import { deleteOptions } from "../request/delete-options.ts";
import { replyList, viewOf } from "../response/render.ts";
import type { Call } from "../request/call.ts";

/** Delete what the selection picks at this moment; what is gone by its turn needs no deleting. */
export async function collectionDelete({ registry, r, path, request }: Call): Promise<ApiReply> {
  const { options } = deleteOptions(request);
  const asked = listQuery(request.query, path.namespace);
  const page = await registry.list(r, { ...asked, ...momentOf(asked) });
  for (const stored of page.entries) {
    try {
      await registry.delete({ r, key: keyOf(objectOf(stored)) }, options);
    } catch (e) {
      if (!hasReason(e, "NotFound")) throw e;
    }
  }
  return replyList(r, page, viewOf(request, registry.world.clock.now()));
}
