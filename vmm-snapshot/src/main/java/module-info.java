/** The snapshot stream format: written, checked and read here and nowhere else. */
module io.vmm4j.snapshot {
  requires static org.jspecify;
  requires transitive io.vmm4j.api;
  requires com.fasterxml.jackson.core;
  requires com.fasterxml.jackson.dataformat.cbor;

  exports io.vmm4j.snapshot;
}
