"""The committed Python code says what protos/ say: compared as descriptors, so with any protobuf compiler."""

import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool
from heartline.v1 import admin_service_pb2_grpc, request_service_pb2_grpc, session_service_pb2_grpc

PROTOS = Path(__file__).parent.parent / "protos"
FILES = sorted(str(file.relative_to(PROTOS)) for file in PROTOS.glob("heartline/**/*.proto"))
STUBS = (admin_service_pb2_grpc, request_service_pb2_grpc, session_service_pb2_grpc)


@pytest.fixture(scope="module")
def contract(tmp_path_factory: pytest.TempPathFactory) -> descriptor_pool.DescriptorPool:
    """What protos/ say."""
    image = tmp_path_factory.mktemp("contract") / "image.binpb"
    includes = [f"-I{PROTOS}", f"-I{sysconfig.get_path('purelib')}", "--include_imports", f"-o{image}"]
    subprocess.run([sys.executable, "-m", "grpc_tools.protoc", *includes, *FILES], check=True, timeout=60)
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(image.read_bytes()).file:
        pool.AddSerializedFile(file.SerializeToString())
    return pool


def text(pool: descriptor_pool.DescriptorPool, file: str) -> str:
    """A file's descriptor, without the JSON names that only some compilers spell out."""
    proto = descriptor_pb2.FileDescriptorProto()
    pool.FindFileByName(file).CopyToProto(proto)
    return re.sub(r" *json_name: .*\n", "", str(proto))


@pytest.mark.parametrize("file", FILES)
def test_generated_code_describes_the_same_contract(file: str, contract: descriptor_pool.DescriptorPool) -> None:
    assert text(descriptor_pool.Default(), file) == text(contract, file)


def test_every_service_has_its_stubs() -> None:
    services = [
        service for file in FILES for service in descriptor_pool.Default().FindFileByName(file).services_by_name
    ]
    assert all(any(hasattr(module, f"{service}Stub") for module in STUBS) for service in services)
