"""Qdrant's real engine behind Qdrant's gRPC interface.

qdrant-edge-py is the engine of the server (segments, indexes, the query
planner) as a library. This program puts the service definitions of
qdrant-client in front of it, so that the tests of this module can run against
the engine where no server is at hand:

    python3 -m venv venv && venv/bin/pip install qdrant-edge-py==0.9.0 qdrant-client==1.20.0
    venv/bin/python vectorstore/qdrant/qdranttest/testdata/engine.py 127.0.0.1:6334 &
    QDRANT_URL=http://127.0.0.1:6334 go test ./vectorstore/qdrant/...            # the conformance suite
    QDRANT_URL=http://127.0.0.1:6334 go test ./vectorstore/qdrant/qdranttest -update   # golden.json

A request with a field that is not translated is refused, so that nothing is
dropped silently. Collections are in a temporary directory.
"""

import sys
import tempfile
import threading
import uuid
from concurrent import futures

import grpc
import qdrant_edge as edge
from google.protobuf.json_format import MessageToDict
from qdrant_client.grpc import (
    collections_pb2 as collections,
    collections_service_pb2_grpc as collections_service,
    json_with_int_pb2 as values,
    points_pb2 as points,
    points_service_pb2_grpc as points_service,
    qdrant_common_pb2 as common,
)


class Refused(Exception):
    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


def take(d, *allowed):
    """Checks that a dictionary has no other keys than those."""
    unknown = set(d) - set(allowed)
    if unknown:
        raise Refused(grpc.StatusCode.UNIMPLEMENTED, f"engine.py does not translate {sorted(unknown)}")
    return d


# Values of payloads.


def to_python(v):
    kind = v.WhichOneof("kind")
    if kind is None or kind == "null_value":
        return None
    if kind == "list_value":
        return [to_python(e) for e in v.list_value.values]
    if kind == "struct_value":
        return {k: to_python(e) for k, e in v.struct_value.fields.items()}
    return getattr(v, kind)


def to_value(v):
    if v is None:
        return values.Value(null_value=0)
    if isinstance(v, bool):
        return values.Value(bool_value=v)
    if isinstance(v, int):
        return values.Value(integer_value=v)
    if isinstance(v, float):
        return values.Value(double_value=v)
    if isinstance(v, str):
        return values.Value(string_value=v)
    if isinstance(v, list):
        return values.Value(list_value=values.ListValue(values=[to_value(e) for e in v]))
    return values.Value(struct_value=values.Struct(fields={k: to_value(e) for k, e in v.items()}))


# Points.


def to_id(p):
    return p.num if p.WhichOneof("point_id_options") == "num" else str(uuid.UUID(p.uuid))


def from_id(i):
    return common.PointId(num=i) if isinstance(i, int) else common.PointId(uuid=str(i))


def to_vector(v):
    kind = v.WhichOneof("vector")
    if kind == "dense":
        return list(v.dense.data)
    if kind == "sparse":
        return edge.SparseVector(list(v.sparse.indices), list(v.sparse.values))
    raise Refused(grpc.StatusCode.UNIMPLEMENTED, "engine.py does not translate this vector")


def to_point(p):
    kind = p.vectors.WhichOneof("vectors_options")
    if kind == "vectors":
        vector = {name: to_vector(v) for name, v in p.vectors.vectors.vectors.items()}
    elif kind == "vector":
        vector = to_vector(p.vectors.vector)
    else:
        vector = {}
    return edge.Point(to_id(p.id), vector, {k: to_python(v) for k, v in p.payload.items()})


def from_vectors(vector):
    if vector is None:
        return None
    out = {}
    for name, v in vector.items():
        if isinstance(v, edge.SparseVector):
            out[name] = points.VectorOutput(sparse=points.SparseVector(indices=v.indices, values=v.values))
        else:
            out[name] = points.VectorOutput(dense=points.DenseVector(data=v))
    return points.VectorsOutput(vectors=points.NamedVectorsOutput(vectors=out))


def from_payload(payload):
    return {k: to_value(v) for k, v in (payload or {}).items()}


# Filters and queries, from the JSON form of their messages.


def as_dict(message):
    return MessageToDict(message, preserving_proto_field_name=True)


def json_id(d):
    return int(d["num"]) if "num" in d else str(uuid.UUID(d["uuid"]))


def to_filter(d):
    if d is None:
        return None
    take(d, "must", "should", "must_not", "min_should")
    least = d.get("min_should")
    return edge.Filter(
        must=[to_condition(c) for c in d.get("must", [])] or None,
        should=[to_condition(c) for c in d.get("should", [])] or None,
        must_not=[to_condition(c) for c in d.get("must_not", [])] or None,
        min_should=edge.MinShould([to_condition(c) for c in least.get("conditions", [])], int(least.get("min_count", 0))) if least else None,
    )


def to_condition(d):
    (kind, c), = d.items()
    if kind == "filter":
        return to_filter(c)
    if kind == "is_empty":
        return edge.IsEmptyCondition(c["key"])
    if kind == "is_null":
        return edge.IsNullCondition(c["key"])
    if kind == "has_id":
        return edge.HasIdCondition({json_id(i) for i in c.get("has_id", [])})
    if kind == "has_vector":
        return edge.HasVectorCondition(c["has_vector"])
    if kind == "nested":
        return edge.NestedCondition(c["key"], to_filter(c.get("filter", {})))
    if kind == "field":
        return to_field(take(c, "key", "match", "range", "values_count", "is_empty", "is_null"))
    raise Refused(grpc.StatusCode.UNIMPLEMENTED, f"engine.py does not translate the condition {kind}")


def to_field(c):
    bounds = c.get("range")
    counts = c.get("values_count")
    return edge.FieldCondition(
        c["key"],
        match=to_match(c["match"]) if "match" in c else None,
        range=edge.RangeFloat(**{k: float(v) for k, v in bounds.items()}) if bounds is not None else None,
        values_count=edge.ValuesCount(**{k: int(v) for k, v in counts.items()}) if counts is not None else None,
        is_empty=c.get("is_empty"),
        is_null=c.get("is_null"),
    )


def to_match(d):
    (kind, v), = d.items()
    if kind == "keyword":
        return edge.MatchValue(v)
    if kind == "integer":
        return edge.MatchValue(int(v))
    if kind == "keywords":
        return edge.MatchAny(v["strings"])
    if kind == "integers":
        return edge.MatchAny([int(i) for i in v["integers"]])
    if kind == "except_keywords":
        return edge.MatchExcept(v["strings"])
    if kind == "except_integers":
        return edge.MatchExcept([int(i) for i in v["integers"]])
    # qdrant-edge-py takes a boolean for an integer, so that it cannot be asked for one.
    raise Refused(grpc.StatusCode.UNIMPLEMENTED, f"engine.py does not translate the match {kind}")


def to_query(d, using):
    if d is None:
        return None
    (kind, v), = d.items()
    if kind == "nearest":
        if "dense" in v:
            vector = v["dense"]["data"]
        elif "sparse" in v:
            vector = edge.SparseVector(v["sparse"].get("indices", []), v["sparse"].get("values", []))
        else:
            raise Refused(grpc.StatusCode.UNIMPLEMENTED, "engine.py does not translate this vector input")
        return edge.Query.Nearest(vector, using=using)
    if kind == "fusion":
        return edge.Fusion.Rrf(k=2) if v == "RRF" else edge.Fusion.Dbsf()
    if kind == "rrf":
        return edge.Fusion.Rrf(k=v.get("k", 2), weights=v.get("weights"))
    raise Refused(grpc.StatusCode.UNIMPLEMENTED, f"engine.py does not translate the query {kind}")


def to_params(d):
    return edge.SearchParams(exact=take(d, "exact").get("exact", False)) if d is not None else None


def to_prefetch(d):
    take(d, "prefetch", "query", "using", "filter", "params", "score_threshold", "limit")
    return edge.Prefetch(
        limit=int(d.get("limit", 10)),
        query=to_query(d.get("query"), d.get("using")),
        prefetches=[to_prefetch(p) for p in d.get("prefetch", [])] or None,
        params=to_params(d.get("params")),
        filter=to_filter(d.get("filter")),
        score_threshold=d.get("score_threshold"),
    )


def to_selector(d):
    if d is None:
        return False
    if "enable" in d:
        return d["enable"]
    if "include" in d:
        return d["include"].get("fields", d["include"].get("names", []))
    return edge.PayloadSelector.Exclude(d["exclude"]["fields"])


class Collection:
    def __init__(self, request):
        self.request = request
        dense = request.vectors_config.params_map.map
        sparse = request.sparse_vectors_config.map
        distances = {collections.Cosine: edge.Distance.Cosine, collections.Dot: edge.Distance.Dot}
        self.shard = edge.EdgeShard.create(
            tempfile.mkdtemp(),
            edge.EdgeConfig(
                vectors={name: edge.EdgeVectorParams(size=p.size, distance=distances[p.distance]) for name, p in dense.items()},
                sparse_vectors={
                    name: edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf if p.modifier == collections.Idf else None)
                    for name, p in sparse.items()
                },
            ),
        )
        self.schema = {}


class Engine:
    """The collections, one request at a time."""

    def __init__(self):
        self.lock = threading.Lock()
        self.collections = {}

    def find(self, name):
        if name not in self.collections:
            raise Refused(grpc.StatusCode.NOT_FOUND, f"Not found: Collection `{name}` doesn't exist!")
        return self.collections[name]

    # Collections.

    def Create(self, r):
        if r.collection_name in self.collections:
            raise Refused(grpc.StatusCode.ALREADY_EXISTS, f"Wrong input: Collection `{r.collection_name}` already exists!")
        self.collections[r.collection_name] = Collection(r)
        return collections.CollectionOperationResponse(result=True)

    def Get(self, r):
        if isinstance(r, points.GetPoints):
            return self.get_points(r)
        c = self.find(r.collection_name)
        config = collections.CollectionConfig(
            params=collections.CollectionParams(
                shard_number=1, vectors_config=c.request.vectors_config, sparse_vectors_config=c.request.sparse_vectors_config
            ),
            metadata=c.request.metadata,
        )
        return collections.GetCollectionInfoResponse(
            result=collections.CollectionInfo(status=collections.Green, config=config, payload_schema=c.schema)
        )

    def delete_collection(self, r):
        there = self.collections.pop(r.collection_name, None)
        if there:
            there.shard.close()
        return collections.CollectionOperationResponse(result=there is not None)

    # Points.

    def updated(self):
        return points.UpdateResult(operation_id=1, status=points.Completed)

    def upsert(self, c, r):
        modes = {points.UpdateMode.Upsert: edge.UpdateMode.Upsert, points.UpdateMode.InsertOnly: edge.UpdateMode.InsertOnly, points.UpdateMode.UpdateOnly: edge.UpdateMode.UpdateOnly}
        condition = to_filter(as_dict(r.update_filter)) if r.HasField("update_filter") else None
        mode = modes[r.update_mode] if r.HasField("update_mode") else None
        c.shard.update(edge.UpdateOperation.upsert_points([to_point(p) for p in r.points], condition, mode))

    def remove(self, c, selector):
        if selector.WhichOneof("points_selector_one_of") == "points":
            c.shard.update(edge.UpdateOperation.delete_points([to_id(i) for i in selector.points.ids]))
        else:
            c.shard.update(edge.UpdateOperation.delete_points_by_filter(to_filter(as_dict(selector.filter))))

    def Upsert(self, r):
        self.upsert(self.find(r.collection_name), r)
        return points.PointsOperationResponse(result=self.updated())

    def Delete(self, r):
        if isinstance(r, collections.DeleteCollection):
            return self.delete_collection(r)
        self.remove(self.find(r.collection_name), r.points)
        return points.PointsOperationResponse(result=self.updated())

    def UpdateBatch(self, r):
        c = self.find(r.collection_name)
        out = points.UpdateBatchResponse()
        for o in r.operations:
            kind = o.WhichOneof("operation")
            if kind == "upsert":
                self.upsert(c, o.upsert)
            elif kind == "delete_points":
                self.remove(c, o.delete_points.points)
            else:
                raise Refused(grpc.StatusCode.UNIMPLEMENTED, f"engine.py does not translate the operation {kind}")
            out.result.append(self.updated())
        return out

    def CreateFieldIndex(self, r):
        c = self.find(r.collection_name)
        kinds = {
            points.FieldTypeKeyword: (edge.PayloadSchemaType.Keyword, collections.Keyword),
            points.FieldTypeInteger: (edge.PayloadSchemaType.Integer, collections.Integer),
            points.FieldTypeFloat: (edge.PayloadSchemaType.Float, collections.Float),
            points.FieldTypeBool: (edge.PayloadSchemaType.Bool, collections.Bool),
        }
        kind, described = kinds[r.field_type]
        c.shard.update(edge.UpdateOperation.create_field_index(r.field_name, kind))
        c.schema[r.field_name] = collections.PayloadSchemaInfo(data_type=described)
        return points.PointsOperationResponse(result=self.updated())

    def retrieved(self, r):
        return points.RetrievedPoint(id=from_id(r.id), payload=from_payload(r.payload), vectors=from_vectors(r.vector))

    def get_points(self, r):
        d = as_dict(r)
        ids = list(dict.fromkeys(to_id(i) for i in r.ids))
        found = self.find(r.collection_name).shard.retrieve(
            ids, with_payload=to_selector(d.get("with_payload")), with_vector=to_selector(d.get("with_vectors"))
        )
        return points.GetResponse(result=[self.retrieved(p) for p in found])

    def Scroll(self, r):
        d = take(as_dict(r), "collection_name", "filter", "offset", "limit", "with_payload", "with_vectors")
        found, following = self.find(r.collection_name).shard.scroll(
            edge.ScrollRequest(
                offset=json_id(d["offset"]) if "offset" in d else None,
                limit=d.get("limit", 10),
                filter=to_filter(d.get("filter")),
                with_payload=to_selector(d.get("with_payload")),
                with_vector=to_selector(d.get("with_vectors")),
            )
        )
        return points.ScrollResponse(
            result=[self.retrieved(p) for p in found], next_page_offset=from_id(following) if following is not None else None
        )

    def Count(self, r):
        d = take(as_dict(r), "collection_name", "filter", "exact")
        n = self.find(r.collection_name).shard.count(edge.CountRequest(exact=True, filter=to_filter(d.get("filter"))))
        return points.CountResponse(result=points.CountResult(count=n))

    def Query(self, r):
        d = take(
            as_dict(r), "collection_name", "prefetch", "query", "using", "filter", "params", "score_threshold", "limit", "offset",
            "with_payload", "with_vectors",
        )
        found = self.find(r.collection_name).shard.query(
            edge.QueryRequest(
                limit=int(d.get("limit", 10)),
                offset=int(d.get("offset", 0)),
                query=to_query(d.get("query"), d.get("using")),
                prefetches=[to_prefetch(p) for p in d.get("prefetch", [])] or None,
                with_payload=to_selector(d.get("with_payload")),
                with_vector=to_selector(d.get("with_vectors")),
                filter=to_filter(d.get("filter")),
                score_threshold=d.get("score_threshold"),
                params=to_params(d.get("params")),
            )
        )
        return points.QueryResponse(
            result=[
                points.ScoredPoint(id=from_id(p.id), score=p.score, payload=from_payload(p.payload), vectors=from_vectors(p.vector))
                for p in found
            ]
        )


def servicer(base, engine):
    """A servicer whose methods are the engine's, one at a time."""

    def method(name):
        def call(self, request, context):
            try:
                with engine.lock:
                    return getattr(engine, name)(request)
            except Refused as e:
                context.abort(e.code, str(e))
            except Exception as e:  # the engine's own words
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"Wrong input: {e}")

        return call

    names = [n for n in vars(base) if n[0].isupper() and hasattr(engine, n)]
    return type("Servicer", (base,), {n: method(n) for n in names})()


def main():
    server = grpc.server(
        futures.ThreadPoolExecutor(8),
        options=[("grpc.max_receive_message_length", 1 << 28), ("grpc.http2.min_ping_interval_without_data_ms", 1000), ("grpc.keepalive_permit_without_calls", 1)],
    )
    engine = Engine()
    collections_service.add_CollectionsServicer_to_server(servicer(collections_service.CollectionsServicer, engine), server)
    points_service.add_PointsServicer_to_server(servicer(points_service.PointsServicer, engine), server)
    server.add_insecure_port(sys.argv[1])
    server.start()
    print("listening on", sys.argv[1], flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main()
