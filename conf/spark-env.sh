# Read by spark-submit, spark-sql and pyspark with the other files of this folder.

# The runs of the tour are short: a second JIT compiler and a parallel garbage collector take a third more CPU time than they save.
# Remove this line for an application with heavy work of its own in the JVM, such as large joins.
SPARK_SUBMIT_OPTS=${SPARK_SUBMIT_OPTS--XX:TieredStopAtLevel=1 -XX:+UseSerialGC}
