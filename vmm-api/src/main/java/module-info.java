/** What users and device authors write against; depends on nothing. */
module io.vmm4j.api {
  requires static org.jspecify;
}
