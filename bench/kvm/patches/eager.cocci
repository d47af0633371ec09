// Mappings are kept at re-init. The first vCPU that runs behind it flushes what is mapped, behind all
// that the VMM wrote, and invalidates the I-caches; others that run meanwhile wait for it.
// Places: 4
@@
@@
 stage2_flush_vm(...)
 {
 	...
 }
+
+/* Bits of kvm->arch.flags */
+#define STAGE2_FLUSH_DUE 30
+#define STAGE2_FLUSHING 31
+
+void stage2_reset(struct kvm *kvm)
+{
+	set_bit(STAGE2_FLUSH_DUE, &kvm->arch.flags);
+}
+
+void stage2_flush_reset(struct kvm *kvm)
+{
+	if (!(READ_ONCE(kvm->arch.flags) & (BIT(STAGE2_FLUSH_DUE) | BIT(STAGE2_FLUSHING))))
+		return;
+	mutex_lock(&kvm->arch.config_lock);
+	if (test_bit(STAGE2_FLUSH_DUE, &kvm->arch.flags)) {
+		set_bit(STAGE2_FLUSHING, &kvm->arch.flags);
+		clear_bit(STAGE2_FLUSH_DUE, &kvm->arch.flags);
+		stage2_flush_vm(kvm);
+		icache_inval_all_pou();
+		clear_bit(STAGE2_FLUSHING, &kvm->arch.flags);
+	}
+	mutex_unlock(&kvm->arch.config_lock);
+}

@@
@@
 kvm_arch_vcpu_ioctl_vcpu_init(struct kvm_vcpu *vcpu, ...)
 {
 	<...
-	stage2_unmap_vm(vcpu->kvm);
+	stage2_reset(vcpu->kvm);
 	...>
 }

@@
@@
+void stage2_reset(struct kvm *kvm);
+void stage2_flush_reset(struct kvm *kvm);
+
 int kvm_arch_vcpu_ioctl_run(struct kvm_vcpu *vcpu)
 {
 	...
 	vcpu_load(vcpu);
+	stage2_flush_reset(vcpu->kvm);
 	...
 }
