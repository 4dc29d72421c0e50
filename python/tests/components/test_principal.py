import numpy as np

from sightline.components.moments import Moments
from sightline.components.principal import principal
from sightline.components.vectors import Floats


def moments_of(values: Floats) -> Moments:
    return Moments.of(values.copy())


def test_components_are_those_of_numpys_svd_of_the_scaled_rows() -> None:
    random = np.random.default_rng(1)
    values = random.normal(size=(200, 8)) @ random.normal(size=(8, 8)) + 50
    scaled = (values - values.mean(0)) / values.std(0, ddof=1)
    _, singular, expected = np.linalg.svd(scaled, full_matrices=False)
    found = principal(moments_of(values), 5)
    np.testing.assert_allclose(found.deviations, values.std(0, ddof=1), rtol=1e-12)
    np.testing.assert_allclose(found.shares, singular**2 / (singular**2).sum(), rtol=1e-10)
    signs = np.sign((expected[:5] * found.directions).sum(axis=1))
    np.testing.assert_allclose(found.directions, expected[:5] * signs[:, None], atol=1e-11)
    assert (found.directions[np.arange(5), np.abs(found.directions).argmax(1)] > 0).all()


def test_fewer_rows_than_features_have_shares_of_zero() -> None:
    values = np.random.default_rng(2).normal(size=(5, 9))
    found = principal(moments_of(values), 4)
    assert abs(found.shares.sum() - 1) < 1e-12
    assert (found.shares[:4] > 0.01).all()
    assert (found.shares[4:] < 1e-14).all()
    assert (found.shares >= 0).all()


def test_a_constant_feature_has_no_part_in_a_component() -> None:
    values = np.random.default_rng(2).normal(size=(20, 3))
    values[:, 1] = 7
    found = principal(moments_of(values), 2)
    assert found.deviations[1] == 0
    np.testing.assert_allclose(found.directions[:, 1], 0, atol=1e-15)


def test_features_that_are_not_finite_or_do_not_vary_have_no_components() -> None:
    not_a_number = np.array([[1.0, 2], [3, np.nan], [4, 5]])
    found = principal(moments_of(not_a_number), 1)
    assert found.directions.shape == (0, 2)
    assert np.isnan(found.deviations).tolist() == [False, True]
    constant = principal(moments_of(np.ones((3, 2))), 1)
    assert constant.directions.shape == (0, 2)
    assert constant.deviations.tolist() == [0, 0]
