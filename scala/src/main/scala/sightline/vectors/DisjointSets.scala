package sightline.vectors

import scala.annotation.tailrec
import scala.collection.mutable

/** Sets of ids without a common element (union-find). A set is named by its smallest id. */
final private[vectors] class DisjointSets {

  private val parents = mutable.HashMap.empty[String, String]

  /** Joins the sets of two ids; false if they are in one set already. */
  def join(a: String, b: String): Boolean = {
    val rootA = root(a)
    val rootB = root(b)
    if (rootA < rootB) parents(rootB) = rootA
    else if (rootB < rootA) parents(rootA) = rootB
    rootA != rootB
  }

  /** All ids with the names of their sets. */
  def members: Iterator[(String, String)] = parents.keysIterator.map(id => id -> root(id))

  private def root(id: String): String = {
    val top = topOf(id)
    shorten(id, top)
    top
  }

  @tailrec private def topOf(id: String): String = {
    val parent = parents.getOrElseUpdate(id, id)
    if (parent == id) id else topOf(parent)
  }

  /** Points all ids on the way to `top` at it. */
  @tailrec private def shorten(id: String, top: String): Unit = {
    val parent = parents(id)
    if (parent != id) {
      parents(id) = top
      shorten(parent, top)
    }
  }
}

private[vectors] object DisjointSets {

  /** The edges without those whose ends are connected by the others. */
  def forest(edges: Iterator[Edge]): Iterator[Edge] = {
    val sets = new DisjointSets
    edges.filter(edge => sets.join(edge.a, edge.b) || edge.a == edge.b)
  }

  /** All ids of the edges with the names of their connected components. */
  def members(edges: Iterator[Edge]): Iterator[(String, String)] = {
    val sets = new DisjointSets
    edges.foreach(edge => sets.join(edge.a, edge.b): Unit)
    sets.members
  }
}
