/** Guest images for the demo and the tests; depends on no other module of the project. */
module io.vmm4j.guests {
  requires static org.jspecify;
  requires static org.junit.jupiter.api;

  exports io.vmm4j.guests;
}
