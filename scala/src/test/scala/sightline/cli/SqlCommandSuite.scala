package sightline.cli

import java.time.Instant

import org.scalatest.funsuite.AnyFunSuite

import sightline.LocalSpark
import sightline.TestFolder.{withFolder, write}

/** `sql -f FILE` in the Spark session that the suites share. */
final class SqlCommandSuite extends AnyFunSuite with LocalSpark {

  private def sql(script: String, more: String*): Output = withFolder { folder =>
    val file = write(folder, "script.sql", script)
    Output.of(
      CommandLine.run(
        Seq(SqlCommand),
        Seq("sql", "-f", file.toString) ++ more,
        Instant.now,
      )((_, use) => use(spark))
    )
  }

  test("a BEGIN … END block in a file runs as one statement between other statements") {
    val output = sql(
      """SELECT 'first' AS said;
        |-- title: Count (in a loop)
        |BEGIN
        |  DECLARE n INT DEFAULT 0;
        |  WHILE n < 3 DO
        |    SET n = n + 1;
        |  END WHILE;
        |  IF n = 3 THEN SELECT n * @{factor} AS counted; ELSE SELECT 'wrong' AS counted; END IF;
        |END;
        |SELECT 'last' AS said""".stripMargin.replace('@', '$'),
      "--set",
      "factor=7",
    )
    assert(output.status == 0, output.err)
    assert(output.out.contains("|     21|"), output.out)
    assert(output.out.contains("Count Query Time: "), output.out)
    assert(output.out.contains("|last|"), output.out)
  }

  test("variables without a value are listed before any statement runs") {
    val output = sql(
      """-- @{comment} is no name
        |SET sightline_test_c = 1;
        |SELECT '@{a}/x', @{sightline_test_c}, /* @{b} */ '@{env:PATH}', @{given};
        |SELECT @{b d}, @{b}, '@{a}', '@{empty}'""".stripMargin.replace('@', '$'),
      "--set",
      "given=1",
      "--set",
      "empty=",
    )
    assert(output.status == 2)
    assert(
      output.lastError == "sightline: UNSET_VARIABLES: the SQL uses @{a}, @{b}, without a value. "
        .replace('@', '$') +
        "Set them by --set a=VALUE --set b=VALUE."
    )
    assert(output.out.isEmpty && !output.hasTrace)
    val one = sql("SELECT @{a}".replace('@', '$'))
    assert(one.lastError.endsWith("{a}, without a value. Set them by --set a=VALUE."), one.err)
  }
}
