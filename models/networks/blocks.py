"""Parts that our networks share."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional


class Residual(nn.Module):
    """Two convolutions with group normalisation beside a shortcut."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(n_in, n_out, 3, padding=1, bias=False)
        self.first_norm = nn.GroupNorm(8, n_out)
        self.second = nn.Conv2d(n_out, n_out, 3, padding=1, bias=False)
        self.second_norm = nn.GroupNorm(8, n_out)
        self.shortcut = nn.Identity() if n_in == n_out else nn.Conv2d(n_in, n_out, 1)

    def forward(
        self, image: Float[Tensor, "frame channel row column"]
    ) -> Float[Tensor, "frame new_channel row column"]:
        """Return the image, refined."""
        inner = functional.relu(self.first_norm(self.first(image)))
        inner = self.second_norm(self.second(inner))
        return functional.relu(inner + self.shortcut(image))


def doubled(
    image: Float[Tensor, "frame channel row column"],
) -> Float[Tensor, "frame channel new_row new_column"]:
    """Return the image with twice the rows and columns, bilinear."""
    return functional.interpolate(image, scale_factor=2.0, mode="bilinear", align_corners=False)
