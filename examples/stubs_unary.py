"""Short connections with the generated stubs alone: python examples/stubs_unary.py [HOST:PORT]

Each call stands alone: the client keeps the cursor, and says now and then that it is still here.
"""

import sys

import grpc
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import ErrorInfo
from grpc_status import rpc_status
from heartline.v1 import events_pb2, request_service_pb2, request_service_pb2_grpc


def main(server: str) -> None:
    """Publishes, reads, is seen, and leaves."""
    with grpc.insecure_channel(server) as channel:
        stub = request_service_pb2_grpc.RequestServiceStub(channel)

        # The id makes it safe to send this again when no answer came: the second time changes nothing.
        message = events_pb2.Message(id="order-17", text="two teas")
        order = request_service_pb2.PublishRequest(channel="orders", messages=[message])
        for _ in range(2):
            (receipt,) = stub.Publish(order).receipts
            print(f"published at {receipt.offset}{', as before' if receipt.duplicate else ''}")

        # A wait makes it a long poll. Each answer carries the cursor for the next, even when it brings nothing.
        cursor = events_pb2.Subscription(channel="orders", start=events_pb2.START_EARLIEST)
        for _ in range(2):
            poll = request_service_pb2.PollRequest(subscriptions=[cursor], wait=Duration(nanos=100_000_000))
            (batch,) = stub.Poll(poll).batches
            if batch.HasField("gap"):
                print(f"events before {batch.gap.oldest_offset} are gone")
            for event in batch.events:
                print(f"read {event.offset}: {event.text}")
            cursor = events_pb2.Subscription(channel="orders", after=batch.position)

        check_in = request_service_pb2.CheckInRequest(client_id="waiter", ttl=Duration(seconds=30), status="busy")
        print(f"seen until {stub.CheckIn(check_in).lease_expire_time.ToJsonString()}")
        stub.CheckOut(request_service_pb2.CheckOutRequest(client_id="waiter"))
        presence = stub.GetPresence(request_service_pb2.GetPresenceRequest(client_id="waiter")).presence
        print(f"waiter is {'online' if presence.online else 'offline'}")

        try:
            stub.Publish(request_service_pb2.PublishRequest(channel="orders"))
        except grpc.RpcError as error:
            print(f"refused: {reason(error)}")


def reason(error: grpc.RpcError) -> str:
    """Why the server refused: the stable word of its ErrorInfo. The text of an error is for people alone."""
    assert isinstance(error, grpc.Call)
    status, info = rpc_status.from_call(error), ErrorInfo()
    told = status is not None and any(detail.Unpack(info) for detail in status.details)
    return info.reason if told else str(error)


if __name__ == "__main__":
    main(*sys.argv[1:2] or ["localhost:50051"])
