"""One host or several: who takes part in a training, and how they agree.

SageMaker tells the hosts in SM_HOSTS and SM_CURRENT_HOST; one process runs on each. The first host in
SM_HOSTS is rank 0: the only one that reads checkpoints and writes anything.
"""

from __future__ import annotations

import datetime
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NoReturn

import torch
from torch import distributed, nn

# A host that is silent for so long is lost; the platform will not bring it back into this job.
TIMEOUT = datetime.timedelta(minutes=10)


class HostsError(Exception):
    """The hosts of this training cannot work together."""


@dataclass(frozen=True)
class Hosts:
    """Who this process is among the others.

    Attributes
    ----------
    rank : int
        The place of this host, from 0.
    count : int
        How many hosts train together.
    device : torch.device
        Where this host computes: its first GPU, or the CPU.
    """

    rank: int
    count: int
    device: torch.device

    @property
    def is_first(self) -> bool:
        """Whether this host writes the results."""
        return self.rank == 0

    def say(self, text: str) -> None:
        """Write one line to the job's log, once for all hosts."""
        if self.is_first:
            print(text, flush=True)

    def warn(self, text: str) -> None:
        """Write one line to the job's error log, once for all hosts."""
        if self.is_first:
            print(f"WARNING: {text}", file=sys.stderr, flush=True)

    def share(self, content: bytes | None) -> bytes | None:
        """Return what the first host passed, on every host."""
        if self.count == 1:
            return content
        size = torch.tensor([-1 if content is None else len(content)], device=self.device)
        distributed.broadcast(size, src=0)
        if size.item() < 0:
            return None
        box = torch.zeros(int(size), dtype=torch.uint8, device=self.device)
        if self.is_first and content:
            box.copy_(torch.frombuffer(bytearray(content), dtype=torch.uint8))
        distributed.broadcast(box, src=0)
        return box.cpu().numpy().tobytes()

    def agree(self, number: int) -> bool:
        """Tell whether all hosts passed the same number (of at most 63 bits)."""
        if self.count == 1:
            return True
        mine = torch.tensor([number], device=self.device)
        all_numbers = [torch.zeros_like(mine) for _ in range(self.count)]
        distributed.all_gather(all_numbers, mine)
        return len({int(other) for other in all_numbers}) == 1

    def sum(self, value: torch.Tensor) -> torch.Tensor:
        """Return the sum of the tensors that the hosts passed."""
        if self.count > 1:
            distributed.all_reduce(value)
        return value

    def average_buffers(self, network: nn.Module) -> None:
        """Give all hosts the mean of what each has measured of its own images (batch normalisation)."""
        if self.count == 1:
            return
        for buffer in network.buffers():
            if buffer.is_floating_point():
                distributed.all_reduce(buffer)
                buffer /= self.count

    def wait(self) -> None:
        """Return when all hosts have come here."""
        if self.count > 1:
            distributed.barrier()

    def share_weights(self, network: nn.Module) -> None:
        """Give all hosts the first host's weights and buffers."""
        if self.count > 1:
            for value in network.state_dict().values():
                plain = value.contiguous()  # what can be sent, in whatever order the weights lie
                distributed.broadcast(plain, src=0)
                value.copy_(plain)

    def average_gradients(self, network: nn.Module) -> None:
        """Give all hosts the mean of the gradients that each has of its own images.

        All gradients go in one message. torch's DistributedDataParallel, which sends large networks'
        gradients while others are still computed, has nothing to overlap here, and imports torch's compiler.
        """
        if self.count == 1:
            return
        gradients = [one.grad for one in network.parameters() if one.grad is not None]
        together = torch.cat([gradient.flatten() for gradient in gradients])
        distributed.all_reduce(together)
        together /= self.count
        for gradient, mean in zip(
            gradients, torch.split(together, [one.numel() for one in gradients]), strict=True
        ):
            gradient.copy_(mean.view_as(gradient))


@contextmanager
def join_hosts() -> Iterator[Hosts]:
    """Join the hosts that SM_HOSTS names, and leave them at the end.

    Raises
    ------
    HostsError
        If SM_CURRENT_HOST is not among SM_HOSTS, or the hosts do not find each other.
    """
    names = json.loads(os.environ.get("SM_HOSTS", '["algo-1"]'))
    current = os.environ.get("SM_CURRENT_HOST", names[0])
    if current not in names:
        raise HostsError(f"SM_CURRENT_HOST is {current!r}, which is not among SM_HOSTS {names}.")
    on_gpu = torch.cuda.is_available()
    hosts = Hosts(
        names.index(current), len(names), torch.device("cuda", 0) if on_gpu else torch.device("cpu")
    )
    if hosts.count == 1:
        yield hosts
        return
    os.environ.setdefault("MASTER_ADDR", names[0])
    os.environ.setdefault("MASTER_PORT", "7777")
    if os.environ["MASTER_ADDR"] in ("127.0.0.1", "localhost", "::1"):
        # The hosts are processes of one machine: each takes its share of the cores, or they stand in each
        # other's way.
        torch.set_num_threads(max(1, torch.get_num_threads() // hosts.count))
        keep_to_own_cores(hosts.rank, hosts.count)
    try:
        distributed.init_process_group(
            "nccl" if on_gpu else "gloo", rank=hosts.rank, world_size=hosts.count, timeout=TIMEOUT
        )
    except (RuntimeError, ValueError) as error:
        master = f"{os.environ['MASTER_ADDR']}:{os.environ['MASTER_PORT']}"
        raise HostsError(f"{current} cannot join the hosts {names} at {master}: {error}") from error
    try:
        yield hosts
    finally:
        distributed.destroy_process_group()


def keep_to_own_cores(rank: int, count: int) -> None:
    """Run on this host's share of the machine's cores, where the system can be told and there are enough.

    A host that waits for a message is often woken on the core where another one computes.
    """
    if not hasattr(os, "sched_setaffinity"):
        return
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) >= count:
        os.sched_setaffinity(0, cores[rank * len(cores) // count : (rank + 1) * len(cores) // count])


def leave(status: int) -> NoReturn:
    """End the process at once, all files being closed.

    Taking torch apart is half a second of work for nothing. And several hosts need this: a thread of torch's
    gloo may still hold the last collective's tensors, and aborts the process when it finds Python shutting
    down (torch 2.13).
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
