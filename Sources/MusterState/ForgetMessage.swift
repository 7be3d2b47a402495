/// The bytes that an operator's authority key signs to declare a live node gone: `muster forget
/// v1`, a zero byte, the cluster's sixteen bytes and the node's.
package func forgetMessage(cluster: ClusterID, node: NodeID) -> [UInt8] {
  Array("muster forget v1".utf8) + [0] + cluster.bytes.bytes + node.bytes.bytes
}
