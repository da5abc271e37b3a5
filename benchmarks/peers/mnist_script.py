"""A training script as SageMaker's examples and PyTorch's tutorials publish it for MNIST.

    python mnist_script.py DATA MODEL [EPOCHS]

Two convolutions and two linear layers with dropout, SGD with learning rate 0.01 and momentum 0.5, batches of
64, six epochs over 60,000 images, torchvision's dataset and transforms, an evaluation after each epoch.
"""

import sys

import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn, optim
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

DATA, MODEL = sys.argv[1:3]
EPOCHS = int(sys.argv[3]) if len(sys.argv) > 3 else 6


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 10, kernel_size=5)
        self.conv2 = nn.Conv2d(10, 20, kernel_size=5)
        self.conv2_drop = nn.Dropout2d()
        self.fc1 = nn.Linear(320, 50)
        self.fc2 = nn.Linear(50, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.relu(F.max_pool2d(self.conv1(x), 2))
        x = F.relu(F.max_pool2d(self.conv2_drop(self.conv2(x)), 2))
        x = F.dropout(F.relu(self.fc1(x.view(-1, 320))), training=self.training)
        return F.log_softmax(self.fc2(x), dim=1)


def loader(*, train: bool, batch_size: int) -> DataLoader:
    transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))])
    return DataLoader(datasets.MNIST(DATA, train=train, transform=transform), batch_size, shuffle=True)


torch.manual_seed(1)
network = Net()
optimizer = optim.SGD(network.parameters(), lr=0.01, momentum=0.5)
training, test = loader(train=True, batch_size=64), loader(train=False, batch_size=1000)
for epoch in range(1, EPOCHS + 1):
    network.train()
    for images, labels in training:
        optimizer.zero_grad()
        F.nll_loss(network(images), labels).backward()
        optimizer.step()
    network.eval()
    with torch.no_grad():
        right = sum((network(images).argmax(1) == labels).sum().item() for images, labels in test)
    print(f"epoch={epoch} accuracy={right / len(test.dataset):.4f}", flush=True)
torch.save(network.state_dict(), MODEL)
