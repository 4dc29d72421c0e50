package sightline.source

import java.io.{InputStreamReader, Reader}
import java.nio.charset.StandardCharsets.{UTF_16, UTF_8}
import java.nio.charset.{CharacterCodingException, Charset, CodingErrorAction}
import java.util.Locale

import scala.util.Using

import com.univocity.parsers.common.TextParsingException
import org.apache.hadoop.fs.Path
import org.apache.spark.sql.functions.{coalesce, col, lit, nullif, trim, when}
import org.apache.spark.sql.sightline.CsvFile
import org.apache.spark.sql.types.{StringType, StructField, StructType}
import org.apache.spark.sql.{Column, SparkSession}

import sightline.SightlineException

/**
 * A CSV with a header, one file or a folder of parts; every column is text, as written, so that `007`
 * stays `007`.
 */
private[source] object CsvTable {

  /** What a row has beyond the header's columns, one column each, so that it can be seen. */
  private val Beyond = (0 until 8).map(i => s"__beyond$i")

  /** @throws SightlineException BAD_TABLE */
  def open(spark: SparkSession, location: String, dialect: CsvDialect): TableFile = {
    val parts = partsOf(spark, location)
    val encoding = parts.headOption.flatMap(byteOrderMark(spark, _)).orElse(dialect.encoding)
    val charset = encoding.getOrElse(UTF_8)
    val delimiter = dialect.delimiter.getOrElse(if (isTabs(location)) '\t' else ',')
    val options = Map(
      "header" -> "true",
      "escape" -> "\"",
      "multiLine" -> "true",
      "sep" -> delimiter.toString,
      "encoding" -> charset.name,
    )
    val headers = parts.map(part => part -> header(spark, part, options, charset))
    val first = headers.headOption.fold(Seq.empty[String])(_._2)
    if (first.isEmpty) throw TableFile.bad(location, "it has no header line")
    headers.find(_._2 != first).foreach { case (part, other) =>
      throw TableFile.bad(
        part.toString,
        s"its header is not that of ${headers.head._1.getName}: ${other.mkString(", ")}",
      )
    }
    val names = columnNames(first)
    // Spark has a list of few encodings, and this for all that Java knows.
    if (charset != UTF_8) spark.conf.set("spark.sql.legacy.javaCharsets", "true")
    val schema = StructType((names ++ Beyond).map(StructField(_, StringType)))
    val rows = spark.read.options(options).schema(schema).csv(location)
    val kept = rows.columns.toSeq.filterNot(Beyond.contains)
    TableFile(
      rows = rows,
      names = kept,
      problem = problem(kept),
      explain = explain(spark, location, parts, charset),
      hint = Option.when(names.size == 1)(
        "It has one column only: name what stands between its fields by --delimiter."
      ),
    )
  }

  /** Unique names: a second `a` is `a_2`, and a column without a name `_c` and its number, from 0. */
  def columnNames(header: Seq[String]): Seq[String] =
    header.zipWithIndex.foldLeft(Seq.empty[String]) { case (names, (text, at)) =>
      val name = Option(text).filter(_.nonEmpty).getOrElse(s"_c$at")
      val candidates = name +: Iterator.from(2).map(n => s"${name}_$n").take(header.size).toSeq
      // A name that another column has by itself is not taken from it.
      val others = (names ++ header.drop(at + 1).filterNot(same(name))).filter(Option(_).isDefined)
      names :+ candidates.find(one => !others.exists(same(one))).getOrElse(name)
    }

  private def same(one: String)(other: String): Boolean =
    Option(other).exists(_.equalsIgnoreCase(one))

  /** A text where something is wrong with a row: the first field that no column has. */
  private def problem(names: Seq[String]): Column = {
    val extra = coalesce(Beyond.map(name => nullif(trim(col(name)), lit(""))): _*)
    val replaced = names.map(Columns.quoted(_).contains(Replacement)).reduce(_ || _)
    when(extra.isNotNull, extra).when(replaced, lit(Replacement))
  }

  /** What Java puts where bytes are no text in an encoding; a file may also hold it itself. */
  private val Replacement = "\uFFFD"

  private def explain(
      spark: SparkSession,
      location: String,
      parts: Seq[Path],
      charset: Charset,
  )(problem: String): Option[SightlineException] =
    if (problem != Replacement)
      Some(
        TableFile.bad(
          location,
          s"a row has more fields than the header: no column is there for '$problem'. Quote fields " +
            "that hold the delimiter, or name the right one by --delimiter",
        )
      )
    else
      parts.find(!decodes(spark, _, charset)).map(part => notText(part.toString, charset))

  private def notText(location: String, charset: Charset): SightlineException =
    TableFile.bad(
      location,
      s"its bytes are not text in ${charset.name.toLowerCase(Locale.ROOT)}. Name its encoding by " +
        "--encoding, such as windows-1252 or utf-16",
    )

  private def decodes(spark: SparkSession, part: Path, charset: Charset): Boolean =
    Using.resource(strictReader(spark, part, charset)) { reader =>
      val buffer = new Array[Char](1 << 16)
      try {
        Iterator.continually(reader.read(buffer)).takeWhile(_ >= 0).foreach(_ => ())
        true
      } catch { case _: CharacterCodingException => false }
    }

  private def header(
      spark: SparkSession,
      part: Path,
      options: Map[String, String],
      charset: Charset,
  ): Seq[String] = {
    // The parser of Spark with Spark's settings, so that both read the line alike.
    val parser = CsvFile.parser(spark, options - "encoding")
    val names = Using.resource(strictReader(spark, part, charset)) { reader =>
      try {
        parser.beginParsing(reader)
        Option(parser.parseNext()).fold(Seq.empty[String])(_.toSeq)
      } catch {
        case error: TextParsingException
            if Iterator
              .iterate[Throwable](error)(_.getCause)
              .takeWhile(Option(_).isDefined)
              .exists(_.isInstanceOf[CharacterCodingException]) =>
          throw notText(part.toString, charset)
      } finally parser.stopParsing()
    }
    if (names.exists(name => Option(name).exists(_.contains('\u0000')))) {
      throw notText(part.toString, charset)
    }
    names.headOption.fold(names) { first =>
      Option(first).map(_.stripPrefix("\uFEFF")).orNull +: names.tail
    }
  }

  private def strictReader(spark: SparkSession, part: Path, charset: Charset): Reader = {
    val in = CsvFile.open(part, spark.sessionState.newHadoopConf())
    val decoder = charset.newDecoder
      .onMalformedInput(CodingErrorAction.REPORT)
      .onUnmappableCharacter(CodingErrorAction.REPORT)
    new InputStreamReader(in, decoder)
  }

  private def byteOrderMark(spark: SparkSession, part: Path): Option[Charset] = {
    val fs = part.getFileSystem(spark.sessionState.newHadoopConf())
    val first = Using.resource(fs.open(part))(_.readNBytes(4)).toSeq.map(_ & 0xff)
    val utf32 = Charset.forName("UTF-32")
    Seq(
      Seq(0xff, 0xfe, 0x00, 0x00) -> utf32,
      Seq(0x00, 0x00, 0xfe, 0xff) -> utf32,
      Seq(0xff, 0xfe) -> UTF_16,
      Seq(0xfe, 0xff) -> UTF_16,
      Seq(0xef, 0xbb, 0xbf) -> UTF_8,
    ).collectFirst { case (mark, charset) if first.startsWith(mark) => charset }
  }

  /** The files of the table that have a line; Spark writes one of no bytes where it had no rows. */
  private def partsOf(spark: SparkSession, location: String): Seq[Path] = {
    val hadoop = spark.sessionState.newHadoopConf()
    TableFile
      .files(spark, location, below = false)
      .filter(path => path.getFileSystem(hadoop).getFileStatus(path).getLen > 0)
  }

  private def isTabs(location: String): Boolean =
    location.stripSuffix("/").toLowerCase(Locale.ROOT).endsWith(".tsv")
}
