/** Machine assembly, memory, buses, boot, clock and both backends. */
module io.vmm4j.engine {
  requires static org.jspecify;
  requires transitive io.vmm4j.api;
  requires io.vmm4j.snapshot;
  requires org.slf4j;
  requires org.tukaani.xz;
}
