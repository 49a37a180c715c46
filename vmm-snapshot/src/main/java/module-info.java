/** The snapshot stream format: written, checked and read here and nowhere else. */
@SuppressWarnings("requires-automatic") // lz4-java has a name and no descriptor.
module io.vmm4j.snapshot {
  requires static org.jspecify;
  requires transitive io.vmm4j.api;
  requires com.fasterxml.jackson.core;
  requires com.fasterxml.jackson.dataformat.cbor;
  requires org.lz4.java;

  exports io.vmm4j.snapshot;
}
