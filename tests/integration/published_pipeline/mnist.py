"""An ordinary SageMaker training script: torchvision's MNIST, torch.distributed, a model_fn for serving."""

import argparse
import json
import logging
import os
import sys

import torch
import torch.distributed as dist
import torch.nn.functional as F  # noqa: N812
from torch import nn, optim
from torch.utils.data import DataLoader
from torch.utils.data.distributed import DistributedSampler
from torchvision import datasets, transforms

logger = logging.getLogger(__name__)
logger.setLevel(logging.INFO)
logger.addHandler(logging.StreamHandler(sys.stdout))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, kernel_size=5)
        self.conv2 = nn.Conv2d(8, 16, kernel_size=5)
        self.fc = nn.Linear(256, 10)

    def forward(self, x):
        x = F.relu(F.max_pool2d(self.conv1(x), 2))
        x = F.relu(F.max_pool2d(self.conv2(x), 2))
        return F.log_softmax(self.fc(x.flatten(1)), dim=1)


def images(folder, *, train):
    transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))])
    return datasets.MNIST(folder, train=train, transform=transform)


def run(args):
    distributed = len(args.hosts) > 1
    if distributed:
        os.environ["WORLD_SIZE"] = str(len(args.hosts))
        os.environ["RANK"] = str(args.hosts.index(args.current_host))
        dist.init_process_group(backend=args.backend)
        logger.info("rank %d of %d", dist.get_rank(), dist.get_world_size())
    torch.manual_seed(args.seed)

    data = images(args.data_dir, train=True)
    sampler = DistributedSampler(data) if distributed else None
    loader = DataLoader(data, batch_size=args.batch_size, sampler=sampler, shuffle=sampler is None)
    model = nn.parallel.DistributedDataParallel(Net()) if distributed else Net()
    optimizer = optim.SGD(model.parameters(), lr=args.lr, momentum=0.9)
    for epoch in range(1, args.epochs + 1):
        model.train()
        for batch, target in loader:
            optimizer.zero_grad()
            loss = F.nll_loss(model(batch), target)
            loss.backward()
            optimizer.step()
        model.eval()
        held_out = images(args.data_dir, train=False)
        with torch.no_grad():
            right = sum(
                (model(batch).argmax(1) == target).sum().item()
                for batch, target in DataLoader(held_out, batch_size=500)
            )
        logger.info("epoch=%d loss=%.4f accuracy=%.4f", epoch, loss.item(), right / len(held_out))

    if args.current_host == args.hosts[0]:
        network = model.module if distributed else model
        torch.save(network.state_dict(), os.path.join(args.model_dir, "model.pth"))  # noqa: PTH118
    if distributed:
        dist.barrier()
        dist.destroy_process_group()


def model_fn(model_dir):
    model = Net()
    model.load_state_dict(torch.load(os.path.join(model_dir, "model.pth"), map_location="cpu"))  # noqa: PTH118
    return model.eval()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--lr", type=float, default=0.01)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--backend", type=str, default=None)
    parser.add_argument("--hosts", type=json.loads, default=json.loads(os.environ["SM_HOSTS"]))
    parser.add_argument("--current-host", type=str, default=os.environ["SM_CURRENT_HOST"])
    parser.add_argument("--model-dir", type=str, default=os.environ["SM_MODEL_DIR"])
    parser.add_argument("--data-dir", type=str, default=os.environ["SM_CHANNEL_TRAINING"])
    run(parser.parse_args())
