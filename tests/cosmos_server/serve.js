"use strict";
/*
 * Runs @vercel/cosmosdb-server on a free port of 127.0.0.1 and prints `PORT n`.
 *
 * What the server does is left as it is, but for four things:
 *  - Reading an item that is not there: the server answers 500 (it looks into the item first), Cosmos DB answers 404.
 *  - The change feed: the server gives all items, in no order and once. Here GET .../docs with `A-IM: Incremental Feed`
 *    gives each item's latest version after the `If-None-Match` token, in the order of writing, with a new ETag; 304
 *    when there is nothing new. Source: learn.microsoft.com/rest/api/cosmos-db/list-documents.
 *  - A batch: the server keeps what was done before an operation failed, and finds no item to replace or delete, because
 *    it looks for the partition key in the operation and not in the header. Here all is undone, as documented, and the
 *    header counts. Source: learn.microsoft.com/azure/cosmos-db/nosql/transactional-batch.
 *  - Faults: POST /faults {"verb", "path", "do": "throttle" | "throttle_batch" | "lose_answer" | "refuse" |
 *    "answer", "times"} sets what the next matching requests meet, `answer` with the "status", "headers" and "body" that
 *    are given; GET /faults says how many are left.
 *  - What was sent: GET /writes gives method, path, headers and body of what was carried out since the last POST there.
 */
const http = require("http");
const lib = "@vercel/cosmosdb-server/lib";

const reading = require(`${lib}/handler/read-document`);
const original = reading.default;
reading.default = (account, req, res, params) => {
  try {
    return original(account, req, res, params);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    res.statusCode = 404;
    return { code: "NotFound", message: "Entity with the specified id does not exist in the system." };
  }
};

const json = require(`${lib}/json`);
const readJson = json.default;
let writes = null;
const readAndNote = async req => {
  const body = await readJson(req);
  const { method, url, headers } = req;
  if (writes !== null && /\/docs(\/|$)/.test(url)) writes.push({ method, path: url, headers, body });
  return body;
};
json.default = async req => ("given" in req ? req.given : readAndNote(req));

const batch = require(`${lib}/handler/batch-documents`);
const carryOut = batch.default;
batch.default = async (account, req, res, params) => {
  const operations = await readAndNote(req);
  const partitionKey = req.headers["x-ms-documentdb-partitionkey"];
  const given = Array.isArray(operations) ? operations.map(one => ({ partitionKey, ...one })) : operations;
  const { documents } = account.database(params.dbId).collection(params.collId);
  const before = [new Map(documents._data), new Map(documents._index)];
  const answers = await carryOut(account, { headers: req.headers, given }, res, params);
  if (Array.isArray(answers) && answers.some(one => one.statusCode >= 400)) {
    [documents._data, documents._index] = before;
    const failed = one => (one.statusCode >= 400 ? one : { statusCode: 424, requestCharge: 0 });
    res.statusCode = 207;
    return answers.map(failed);
  }
  return answers;
};

let written = 0;
let account = null;
const documents = require(`${lib}/account/documents`).default;
const set = documents.prototype._set;
documents.prototype._set = function (data) {
  data._lsn = written += 1;
  return set.call(this, data);
};
const databases = require(`${lib}/handler/read-database`);
const readDatabase = databases.default;
databases.default = (known, ...rest) => {
  account = known;
  return readDatabase(known, ...rest);
};

const { createHttpServer } = require(lib);
const server = createHttpServer({ keepAlive: true });
const [serve] = server.listeners("request");
server.removeAllListeners("request");

let faults = [];

server.on("request", (req, res) => {
  if (req.url === "/faults") return answerFaults(req, res);
  if (req.url === "/writes") return answerWrites(req, res);
  const fault = faults.find(one => one.times > 0 && one.verb === req.method && req.url.includes(one.path));
  if (fault) {
    fault.times -= 1;
    return meet(fault, req, res);
  }
  if (req.method === "GET" && req.headers["a-im"] && /\/docs\/?$/.test(req.url)) return answerFeed(req, res);
  return serve(req, res);
});

function meet(fault, req, res) {
  const headers = { "x-ms-retry-after-ms": "20", "x-ms-request-charge": "0.5", "content-type": "application/json" };
  if (fault.do === "lose_answer") {
    // The request is carried out whole, and then the line goes dead.
    res.end = () => req.socket.destroy();
    return serve(req, res);
  }
  req.resume();
  if (fault.do === "throttle_batch") {
    // How a batch says it: the request succeeds, its operations do not.
    res.writeHead(207, headers);
    return res.end(JSON.stringify([{ statusCode: 429, requestCharge: 0.5 }]));
  }
  if (fault.do === "answer") {
    res.writeHead(fault.status, { ...headers, ...fault.headers });
    return res.end(JSON.stringify(fault.body));
  }
  res.writeHead(fault.do === "throttle" ? 429 : fault.status, headers);
  return res.end(JSON.stringify({ code: String(fault.status || 429), message: `as asked: ${fault.do}` }));
}

function answerWrites(req, res) {
  res.end(JSON.stringify(writes || []));
  if (req.method === "POST") writes = [];
}

function answerFeed(req, res) {
  const [, dbId, collId] = req.url.match(/\/dbs\/([^/]+)\/colls\/([^/]+)\/docs/);
  const after = parseInt((req.headers["if-none-match"] || "0").replace(/"/g, ""), 10) || 0;
  const limit = parseInt(req.headers["x-ms-max-item-count"] || "100", 10);
  const collection = account.database(dbId).collection(collId);
  const items = [...collection.documents._data.values()]
    .map(one => one.read())
    .filter(item => item._lsn > after)
    .sort((a, b) => a._lsn - b._lsn)
    .slice(0, limit > 0 ? limit : 100);
  const last = items.length ? items[items.length - 1]._lsn : after;
  const headers = { etag: `"${last}"`, "content-type": "application/json", "x-ms-request-charge": "1" };
  res.writeHead(items.length ? 200 : 304, headers);
  res.end(items.length ? JSON.stringify({ Documents: items, _count: items.length }) : undefined);
}

function answerFaults(req, res) {
  const answer = () => res.end(JSON.stringify(faults));
  if (req.method !== "POST") return answer();
  let body = "";
  req.on("data", part => (body += part));
  return req.on("end", () => {
    faults = JSON.parse(body);
    answer();
  });
}

server.listen(parseInt(process.argv[2] || "0", 10), "127.0.0.1", 512, () => console.log(`PORT ${server.address().port}`));
// The parent holds the other end: when it ends, however it does, so does this.
process.stdin.on("end", () => process.exit(0)).resume();
