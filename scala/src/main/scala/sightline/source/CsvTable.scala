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

import sightline.{ErrorTranslation, SightlineException}

/**
 * A CSV with a header: one file or a folder of part files. Every column is text, so that `007` stays
 * `007`.
 */
private[source] object CsvTable {

  /** Columns for fields beyond the header's, so that rows with too many fields are detected. */
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
        s"its header differs from that of ${headers.head._1.getName}: ${other.mkString(", ")}",
      )
    }
    val names = columnNames(first)
    // Without this setting Spark knows only a few encodings.
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
        "It has one column only: set the character between its fields by --delimiter."
      ),
    )
  }

  /** Makes names unique: a second `a` becomes `a_2`, an empty name `_c` and its index, from 0. */
  def columnNames(header: Seq[String]): Seq[String] =
    header.zipWithIndex.foldLeft(Seq.empty[String]) { case (names, (text, at)) =>
      val name = Option(text).filter(_.nonEmpty).getOrElse(s"_c$at")
      val candidates = name +: Iterator.from(2).map(n => s"${name}_$n").take(header.size).toSeq
      // A new name must not be the name of another column.
      val others = (names ++ header.drop(at + 1).filterNot(same(name))).filter(Option(_).isDefined)
      names :+ candidates.find(one => !others.exists(same(one))).getOrElse(name)
    }

  private def same(one: String)(other: String): Boolean =
    Option(other).exists(_.equalsIgnoreCase(one))

  /** Null for a valid row, else its first surplus field, or the replacement character. */
  private def problem(names: Seq[String]): Column = {
    val extra = coalesce(Beyond.map(name => nullif(trim(col(name)), lit(""))): _*)
    val replaced = names.map(Columns.quoted(_).contains(Replacement)).reduce(_ || _)
    when(extra.isNotNull, extra).when(replaced, lit(Replacement))
  }

  /** Java's replacement for bytes that are invalid in an encoding; a file may also contain it. */
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
            "that contain the delimiter, or set the delimiter by --delimiter",
        )
      )
    else
      parts.find(!decodes(spark, _, charset)).map(part => notText(part.toString, charset))

  private def notText(location: String, charset: Charset): SightlineException =
    TableFile.bad(
      location,
      s"its bytes are not text in ${charset.name.toLowerCase(Locale.ROOT)}. Set its encoding by " +
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
    val parser = CsvFile.parser(spark, options - "encoding")
    val names = Using.resource(strictReader(spark, part, charset)) { reader =>
      try {
        parser.beginParsing(reader)
        Option(parser.parseNext()).fold(Seq.empty[String])(_.toSeq)
      } catch {
        case error: TextParsingException
            if ErrorTranslation.causes(error).exists(_.isInstanceOf[CharacterCodingException]) =>
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

  /** The files of the table that are not empty; Spark writes empty ones for empty partitions. */
  private def partsOf(spark: SparkSession, location: String): Seq[Path] = {
    val hadoop = spark.sessionState.newHadoopConf()
    TableFile
      .files(spark, location, below = false)
      .filter(path => path.getFileSystem(hadoop).getFileStatus(path).getLen > 0)
  }

  private def isTabs(location: String): Boolean =
    location.stripSuffix("/").toLowerCase(Locale.ROOT).endsWith(".tsv")
}
