#!/usr/bin/env python3
"""Memory that is booked for a `with`, and given back when somebody else needs it."""
import gpukeeper

cache = {"embeddings": bytearray(1 << 20)}


@gpukeeper.on_reclaim
def give_back(request):
    """Called when gpukeeper wants memory of this process's leases back. Returns how much that was."""
    freed = sum(map(len, cache.values()))
    cache.clear()
    return freed


def main():
    with gpukeeper.Monitor() as monitor:
        if monitor.device_count == 0:
            print("there is no GPU: run `gpukeeper doctor` to see why")
            return
        try:
            with monitor.lease("2GiB", service="example", metadata={"job": "7"}) as lease:
                print(f"{lease.bytes >> 20} MiB of GPU {lease.device} are ours; lease {lease.id} asks us: {give_back.leases}")
                lease.resize("1GiB")
                print(f"now {lease.bytes >> 20} MiB")
        except gpukeeper.Refused as refusal:
            print(f"refused: {refusal}")


if __name__ == "__main__":
    main()
