// Memory storage, tested with the contract.
import { memoryStorage } from "../../apiserver/storage/log.ts";
import { storageSuite } from "./storage.ts";

storageSuite("memory", async () => memoryStorage());
