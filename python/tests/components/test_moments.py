import itertools

import numpy as np
import pyarrow as pa
import pytest

from sightline.components.moment_rows import from_batches, to_batches
from sightline.components.moments import Moments
from sightline.components.vectors import Floats


def moments_of(*blocks: Floats) -> Moments:
    found = Moments.of(blocks[0].copy())
    for block in blocks[1:]:
        found.add(block.copy())
    return found


def covariance(moments: Moments) -> Floats:
    upper = np.triu(moments.products)
    full: Floats = (upper + np.triu(upper, 1).T) / (moments.rows - 1)
    return full


def correlated(rows: int, features: int) -> Floats:
    random = np.random.default_rng(3)
    return random.normal(size=(rows, features)) @ random.normal(size=(features, features))


def test_blocks_of_different_heights_give_numpys_mean_and_covariance() -> None:
    values = correlated(500, 7) + np.arange(7)
    found = moments_of(values[:3], values[3:4], values[4:400], values[400:])
    assert found.rows == 500
    np.testing.assert_allclose(found.mean, values.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(covariance(found), np.cov(values.T), rtol=1e-11)


def test_a_mean_of_a_hundred_million_deviations_loses_no_digits() -> None:
    # These values are multiples of 1/16, so that the shifted ones are exact in float64.
    values = np.round(correlated(300, 5) * 16) / 16
    found = moments_of(values[:100] + 1e8, values[100:] + 1e8)
    np.testing.assert_allclose(covariance(found), np.cov(values.T), rtol=1e-11)


def test_sorted_rows_with_groups_far_apart_give_numpys_covariance() -> None:
    values = correlated(400, 4)
    values[200:] += 1e6
    found = moments_of(values[:200], values[200:])
    np.testing.assert_allclose(covariance(found), np.cov(values.T), rtol=1e-11)


def test_the_sums_of_a_constant_feature_are_exactly_zero() -> None:
    values = correlated(1000, 3)
    values[:, 1] = np.float32(0.1)
    found = moments_of(values[:311], values[311:])
    found.merge(moments_of(values[:77]))
    assert found.mean[1] == np.float32(0.1)
    assert found.products[1, 1] == found.products[0, 1] == found.products[1, 2] == 0


@pytest.mark.parametrize("edges", [(0, 300), (0, 1, 300), (0, 100, 101, 250, 300)])
def test_parts_that_are_sent_as_rows_are_merged_to_the_moments_of_all(
    edges: tuple[int, ...],
) -> None:
    values = correlated(300, 6) + 1000
    parts = [moments_of(values[a:b]) for a, b in itertools.pairwise(edges)]
    sent = [batch for part, one in enumerate(parts) for batch in to_batches(part, one)]
    found = from_batches(sent)
    assert found is not None
    assert found.rows == 300
    np.testing.assert_allclose(found.mean, values.mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(covariance(found), np.cov(values.T), rtol=1e-11)


def test_pieces_of_wide_moments_are_in_several_batches_of_limited_size() -> None:
    wide = moments_of(correlated(2, 1500))
    sent = list(to_batches(4, wide))
    assert [batch.num_rows for batch in sent] == [699, 699, 102]
    assert all(batch.nbytes < (8 << 20) + 100_000 for batch in sent)
    table = pa.Table.from_batches(sent)
    assert table.column("at").to_pylist() == list(range(1500))
    assert table.column("part").unique().to_pylist() == [4]


def test_no_pieces_are_no_moments() -> None:
    assert from_batches([]) is None
