# Read by spark-submit, spark-sql and pyspark with the other files of this folder.

# The runs of the tour are short. Without the second JIT compiler and the parallel garbage collector they
# take a third less CPU time. For an application with much work of its
# own in the JVM, such as large joins, or for a server: export SPARK_SUBMIT_OPTS=
SPARK_SUBMIT_OPTS=${SPARK_SUBMIT_OPTS--XX:TieredStopAtLevel=1 -XX:+UseSerialGC}
