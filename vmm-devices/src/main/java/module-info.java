/** Built-in device models, written against the same SPI as anybody else's. */
module io.vmm4j.devices {
  requires static org.jspecify;
  requires transitive io.vmm4j.api;
  requires org.slf4j;
}
