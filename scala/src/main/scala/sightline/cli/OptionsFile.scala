package sightline.cli

import java.nio.charset.StandardCharsets.UTF_8

import scala.jdk.CollectionConverters.*
import scala.util.Using
import scala.util.control.NonFatal

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.Path
import org.yaml.snakeyaml.constructor.SafeConstructor
import org.yaml.snakeyaml.nodes.{MappingNode, Node, ScalarNode, SequenceNode, Tag}
import org.yaml.snakeyaml.representer.Representer
import org.yaml.snakeyaml.{DumperOptions, LoaderOptions, Yaml}

import sightline.SightlineException

/** A YAML file with options of a command: `epochs: 20`. The Python command reads the same files. */
object OptionsFile {

  /**
   * The options of a file, as words of a command line.
   *
   * @param known the names of the command's options, without dashes
   * @return for each option its name and its words; a flag that is false has none
   * @throws SightlineException BAD_CONFIG
   */
  def read(file: Path, known: Seq[String], hadoop: Configuration): Seq[(String, Seq[String])] = {
    def bad(reason: String): SightlineException =
      SightlineException("BAD_CONFIG", "file" -> file, "reason" -> reason)
    val root =
      try {
        val text = Using.resource(file.getFileSystem(hadoop).open(file))(_.readAllBytes())
        yaml.compose(new java.io.StringReader(new String(text, UTF_8)))
      } catch {
        case NonFatal(error) =>
          throw bad(s"cannot be read: ${error.toString.split("\\s+").mkString(" ")}.")
      }
    root match {
      case options: MappingNode =>
        val found = options.getValue.asScala.toSeq.map { entry =>
          val name = scalar(entry.getKeyNode).replace('_', '-')
          if (!known.contains(name)) {
            throw bad(s"has the option '$name'. Known: ${known.sorted.mkString(", ")}.")
          }
          name -> words(name, entry.getValueNode, bad)
        }
        found.groupBy(_._1).collectFirst {
          case (name, several) if several.size > 1 =>
            throw bad(s"has the option '$name' twice.")
        }
        found
      case _ => throw bad("has no options, such as epochs: 20.")
    }
  }

  /** The text of a file with these options. */
  def text(options: Seq[(String, Any)]): String = {
    val values = new java.util.LinkedHashMap[String, Any]
    options.foreach { case (name, value) => values.put(name, value) }
    yaml.dump(values)
  }

  private def words(
      name: String,
      value: Node,
      bad: String => SightlineException,
  ): Seq[String] = value match {
    case one: ScalarNode if one.getTag == Tag.BOOL =>
      if (Set("true", "yes", "on")(one.getValue.toLowerCase)) Seq(s"--$name") else Nil
    case one: ScalarNode if one.getTag == Tag.NULL => Nil
    case one: ScalarNode => Seq(s"--$name", one.getValue)
    case several: SequenceNode if several.getValue.asScala.forall(_.isInstanceOf[ScalarNode]) =>
      Seq(s"--$name", several.getValue.asScala.map(scalar).mkString(","))
    case _ => throw bad(s"gives the option '$name' more than one value.")
  }

  private def scalar(node: Node): String = node match {
    case one: ScalarNode => one.getValue
    case other => other.toString
  }

  /** Builds maps, lists and scalars only, never a class that a file names. */
  private def yaml: Yaml = {
    val block = new DumperOptions
    block.setDefaultFlowStyle(DumperOptions.FlowStyle.BLOCK)
    val loader = new LoaderOptions
    new Yaml(new SafeConstructor(loader), new Representer(block), block, loader)
  }
}
