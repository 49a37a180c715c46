/** The contract of device models, for their authors' tests. */
module io.vmm4j.testkit {
  requires static org.jspecify;
  requires transitive io.vmm4j.api;
  requires io.vmm4j.engine;
  requires jdk.management;

  exports io.vmm4j.testkit;
}
