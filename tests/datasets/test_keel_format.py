import numpy as np
import pytest

from skimbal.datasets._keel_format import (
    canonical_order,
    complete_rows,
    encode_inputs,
    encode_output,
    parse_header,
    parse_keel,
    parse_rows,
)
from skimbal.exceptions import KeelFormatError

TOY = """\
@relation toy
@attribute Sex nominal {M, F, I}
@attribute Length real [0.0, 1.0]
@attribute Rings integer [-3, 29]
@attribute Class {positive, negative}
@inputs Sex, Length, Rings
@outputs Class
@data
M, 0.5, 7, negative
I, .25, -3, positive
F, 1E-1, 29, negative
"""


def replaced(old, new):
    assert TOY.count(old) == 1
    return TOY.replace(old, new)


def test_values_by_hand():
    dataset = parse_keel(TOY)
    assert dataset.relation == "toy"
    assert [a.kind for a in dataset.attributes] == ["nominal", "real", "integer", "nominal"]
    assert dataset.attributes[0].categories == ("M", "F", "I")
    assert dataset.attributes[2].range == (-3.0, 29.0)
    assert dataset.inputs == ("Sex", "Length", "Rings")
    assert dataset.output == "Class"
    assert dataset.rows == (
        ("M", 0.5, 7.0, "negative"),
        ("I", 0.25, -3.0, "positive"),
        ("F", 0.1, 29.0, "negative"),
    )


@pytest.mark.parametrize(
    "text",
    [
        TOY.replace("\n", "\r\n"),
        TOY.replace("\n", "\n\n"),
        TOY.replace(", ", ","),
        TOY.replace(", ", " ,\t"),
        TOY.replace(" real [", "  real["),
        TOY.replace("Class {", "Class{"),
        TOY.replace("@attribute ", "@ATTRIBUTE\t").replace("@data", "@DATA"),
        TOY.replace("@inputs Sex, Length", "@Input sex, LENGTH").replace("@outputs", "@OUTPUT"),
        TOY.replace("negative\n", "Negative  \n"),
        TOY.replace("@data", "% a comment\n@data"),
        TOY.replace("@inputs Sex, Length, Rings\n", ""),
        TOY.replace(" [0.0, 1.0]", "").replace(" [-3, 29]", "[-3.0,29]"),
        TOY.rstrip("\n"),
        "\ufeff" + TOY,
        (b"\xef\xbb\xbf" + TOY.encode()).decode("latin-1"),
        TOY.replace("\n", "\r"),
        "% Ångström … é\n".encode().decode("latin-1") + TOY,
        TOY.replace("@data\n", "@data\n% one \x85 two \x0b three \x1c four \u2028 five\n"),
        TOY.replace("negative", "'negative'").replace("positive", '"positive"'),
        TOY.replace("negative\n", "' negative '\n"),
        TOY.replace("0.5,", "'0.5',"),
    ],
)
def test_white_space_case_and_optional_parts_do_not_count(text):
    parsed, plain = parse_keel(text), parse_keel(TOY)
    assert parsed.rows == plain.rows
    assert (parsed.inputs, parsed.output) == (plain.inputs, plain.output)


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        (replaced("@relation toy", "@relation"), 1, "one '@relation NAME'"),
        (replaced("@relation toy\n", ""), 7, "a line '@relation NAME' before @data"),
        (replaced("@relation toy", "@relation toy\n@relation b"), 2, "a second one, 'b'"),
        (replaced("@attribute Sex", "@atribute Sex"), 2, "one of @relation, @attribute"),
        (replaced("real [", "float ["), 3, "@attribute NAME real [LOW, HIGH]"),
        (replaced("real [0.0, 1.0]", "real {0.0, 1.0}"), 3, "@attribute NAME real [LOW, HIGH]"),
        (replaced("nominal {M, F, I}", "nominal"), 2, "or '@attribute NAME {VALUE, ...}'"),
        (replaced("{M, F, I}", "{M, F, I"), 2, "'@attribute NAME {VALUE, ...}'"),
        (replaced("{M, F, I}", "{M, F, M}"), 2, "different, non-empty values for attribute 'Sex'"),
        (replaced("{M, F, I}", "{M, , I}"), 2, "different, non-empty values for attribute 'Sex'"),
        (replaced("[0.0, 1.0]", "[0.0, x]"), 3, "a range [LOW, HIGH] of two numbers"),
        (replaced("[0.0, 1.0]", "[1.0, 0.0]"), 3, "a range [LOW, HIGH] of two numbers"),
        (replaced("[0.0, 1.0]", "[1.0]"), 3, "a range [LOW, HIGH] of two numbers"),
        (replaced("@attribute Rings", "@attribute Length"), 4, "attribute names that differ"),
        (replaced("Length, Rings\n", "Lenght\n"), 6, "declared attributes in @inputs"),
        (replaced("Length, Rings\n", "Length, Length\n"), 6, "different declared attributes"),
        (replaced("Length, Rings\n", "Length, \n"), 6, "declared attributes in @inputs"),
        (replaced("Length, Rings\n", "Length, Class\n"), 8, "not the output 'Class', in @inputs"),
        (replaced("@outputs Class\n", ""), 7, "a line '@outputs NAME' before @data"),
        (replaced("@outputs Class", "@outputs Clas"), 7, "declared attributes in @outputs"),
        (replaced("@outputs Class", "@outputs Class, Sex"), 7, "exactly one attribute in @outputs"),
        (replaced("@data\n", ""), 8, "a line '@data' before the first row"),
        (TOY[: TOY.index("@data")], 8, "a line '@data', got the end of the file"),
        ("", 1, "a line '@data', got the end of the file"),
        (replaced("@data", "@data M, 0.5"), 8, "nothing after @data"),
        (TOY[: TOY.index("M, 0.5")], 9, "at least one row"),
        (replaced("M, 0.5", "X, 0.5"), 9, "one of {M, F, I} for attribute 'Sex', got 'X'"),
        (replaced("M, 0.5", ", 0.5"), 9, "one of {M, F, I} for attribute 'Sex', got ''"),
        (replaced(".25, -3", ".25"), 10, "4 values, one for each attribute, got 3"),
        (replaced(".25, -3", ".25, -3, 4"), 10, "4 values, one for each attribute, got 5"),
        (replaced(".25, -3", "2.5, -3"), 10, "a number in [0, 1] for attribute 'Length', got"),
        (replaced("29, neg", "29.5, neg"), 11, "an integer in [-3, 29] for attribute 'Rings'"),
        (replaced("29, neg", "30, neg"), 11, "an integer in [-3, 29] for attribute 'Rings'"),
        (replaced("29, negative", "29, neutral"), 11, "one of {positive, negative}"),
        (replaced("29, negative", "29, ?"), 11, "one of {positive, negative}"),
    ],
)
def test_an_error_names_file_line_and_expectation(text, line, expected):
    with pytest.raises(KeelFormatError) as raised:
        parse_keel(text, source="toy.dat")
    assert str(raised.value).startswith(f"toy.dat, line {line}: expected ")
    assert expected in str(raised.value)
    assert isinstance(raised.value, ValueError)


@pytest.mark.parametrize("text", ["nan", "inf", "1_0", "0x1", "1e999", "1,5", "1.2.3", "--1", "٣"])
def test_numbers_are_strict(text):
    header = "@relation t\n@attribute a real\n@attribute c {p, n}\n@outputs c\n@data\n"
    assert parse_keel(header + "-1.5e-3, p").rows == ((-0.0015, "p"),)
    with pytest.raises(KeelFormatError, match=r"t\.dat, line 6: expected"):
        parse_keel(header + f"{text}, p", source="t.dat")


def test_case_counts_where_categories_differ_in_case_alone():
    text = "@relation t\n@attribute a {x, X}\n@attribute c {p, n}\n@outputs c\n@data\nX, P\nx, n"
    assert parse_keel(text).rows == (("X", "p"), ("x", "n"))


def test_rows_without_header_keep_their_own_line_numbers():
    header, n_lines = parse_header(TOY.splitlines())
    assert n_lines == 8
    rows = TOY.splitlines()[8:]
    assert parse_rows(rows, header) == parse_keel(TOY)
    with pytest.raises(KeelFormatError, match=r"rows\.dat, line 4: expected 4 values"):
        parse_rows([*rows, "M"], header, source="rows.dat")


def test_rows_of_a_file_that_begins_with_a_byte_order_mark():
    header, _ = parse_header(TOY.splitlines())
    rows = TOY.splitlines()[8:]
    assert parse_rows(["\xef\xbb\xbf" + rows[0], *rows[1:]], header) == parse_rows(rows, header)


@pytest.mark.parametrize(
    ("categories", "names", "sexes"),
    [
        ("onehot", ["Sex=M", "Sex=F", "Sex=I"], [[1, 0, 0], [0, 0, 1], [0, 1, 0]]),
        ("ordinal", ["Sex"], [[0], [2], [1]]),
    ],
)
def test_one_hot_and_ordinal_by_hand(categories, names, sexes):
    X, feature_names = encode_inputs(parse_keel(TOY), categories)
    assert feature_names == [*names, "Length", "Rings"]
    np.testing.assert_array_equal(X, np.hstack([sexes, [[0.5, 7], [0.25, -3], [0.1, 29]]]))
    assert X.dtype == np.float64


def test_labels_by_hand():
    assert encode_output(parse_keel(TOY)).tolist() == ["negative", "positive", "negative"]


def test_columns_follow_inputs_and_the_declaration_not_the_rows():
    one_row = TOY[: TOY.index("I, .25")].replace("@inputs Sex, Length, Rings", "@inputs Rings, Sex")
    X, names = encode_inputs(parse_keel(one_row))
    assert names == ["Rings", "Sex=M", "Sex=F", "Sex=I"]
    assert X.tolist() == [[7, 1, 0, 0]]


def test_missing_values_become_nan_or_go():
    text = replaced("I, .25", "?, <NULL>")
    dataset = parse_keel(text)
    assert dataset.rows[1] == (None, None, -3.0, "positive")
    nan = np.nan
    np.testing.assert_array_equal(encode_inputs(dataset)[0][1], [nan, nan, nan, nan, -3])
    np.testing.assert_array_equal(encode_inputs(dataset, "ordinal")[0][1], [nan, nan, -3])
    assert complete_rows(dataset).rows == (dataset.rows[0], dataset.rows[2])


def test_a_category_spelled_like_a_missing_value_is_a_category():
    assert parse_keel(replaced("{M, F, I}", "{M, F, I, ?}").replace("M, 0.5", "?, 0.5")).rows[0][0]


def test_unknown_encoding():
    with pytest.raises(ValueError, match=r"categories='onhot' is not known; use 'onehot'"):
        encode_inputs(parse_keel(TOY), "onhot")


def test_canonical_order_depends_on_the_values_alone():
    lines = TOY.splitlines()
    other = "\n".join([*lines[:8], lines[10].replace("1E-1", "0.10"), lines[8], lines[9]])
    ordered = canonical_order(parse_keel(TOY))
    assert canonical_order(parse_keel(other)) == ordered
    assert sorted(ordered.rows) == sorted(parse_keel(TOY).rows)
    zero, minus_zero = (replaced("7, neg", f"{text}, neg") for text in ("0", "-0.0"))
    assert canonical_order(parse_keel(zero)) == canonical_order(parse_keel(minus_zero))


def test_canonical_order_is_unrelated_to_values():
    rows = "\n".join(
        f"M, {k / 1000}, 0, {'positive' if k < 100 else 'negative'}" for k in range(400)
    )
    dataset = canonical_order(parse_keel(TOY[: TOY.index("M, 0.5")] + rows))
    values = np.array([row[1] for row in dataset.rows])
    # Under independence the rank correlation has deviation 0.05; sorted rows would give 1.
    assert abs(np.corrcoef(values, np.arange(400))[0, 1]) < 0.2
    positives = encode_output(dataset) == "positive"
    assert min(part.sum() for part in np.split(positives, 4)) > 10
